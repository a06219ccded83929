/** Invariants of money: what came in is what is held plus what went out, and every accepted unit of work is paid once. */
import type { ChainEvent } from '@potluck/chain'
import { decodeDocument } from '@potluck/node'
import { auditReport, fromHex, type Hex, payoutDocument } from '@potluck/protocol'
import { cidOfDigest, DAG_CBOR } from '@potluck/store'
import type { CallsReport } from './calls.ts'
import type { Network } from './Network.ts'
import type { World } from './World.ts'

export type Judge = (isTrue: boolean, otherwise: string) => void

const amountOf = (event: ChainEvent, field: string): bigint => BigInt(String(event.args[field] ?? 0))

function sumOf(events: readonly ChainEvent[], contract: string, name: string, field: string): bigint {
  return events
    .filter((event) => event.contract === contract && event.name === name)
    .reduce((sum, event) => sum + amountOf(event, field), 0n)
}

/** Balances against everything that ever happened (C-10, C-20, C-30, C-60). */
export async function checkConservation(network: Network, world: World, judge: Judge): Promise<void> {
  const { deployment, plans, saltSupply } = network
  const { observer } = world.chain
  const { contracts } = deployment
  const toBlock = await observer.blockNumber()
  const events = await observer.events({ fromBlock: BigInt(deployment.block), toBlock })
  const dollar = observer.erc20((deployment.tokens[0] as { address: Hex }).address)
  const same = (held: bigint, owed: bigint, where: string): void =>
    judge(held === owed, `${where} holds ${held}, by its events it should hold ${owed}`)

  const escrow = events
    .filter(({ name }) => name === 'JobCreated')
    .map(({ args }) => args.terms as { payPerRound: bigint; rounds: number })
    .reduce((sum, { payPerRound, rounds }) => sum + payPerRound * BigInt(rounds), 0n)
  const out = sumOf(events, 'jobs', 'PayClaimed', 'amount') + sumOf(events, 'jobs', 'Refunded', 'amount')
  same(await dollar.read.balanceOf([contracts.jobs]), escrow - out, 'Jobs')

  const paidIn = sumOf(events, 'assets', 'Paid', 'amount')
  const withdrawn = sumOf(events, 'assets', 'Withdrawn', 'amount')
  same(await dollar.read.balanceOf([contracts.assets]), paidIn - withdrawn, 'Assets')

  const deposited = sumOf(events, 'channels', 'Opened', 'amount') + sumOf(events, 'channels', 'ToppedUp', 'amount')
  const left =
    sumOf(events, 'channels', 'GroupPaid', 'toVersion') +
    sumOf(events, 'channels', 'CreditWithdrawn', 'amount') +
    sumOf(events, 'channels', 'DepositWithdrawn', 'amount')
  same(await dollar.read.balanceOf([contracts.channels]), deposited - left, 'Channels')

  let bonds = 0n
  for (const { identity } of plans) {
    const { bonded, unbonding } = await observer.read.registry.nodeInfo([identity.node])
    bonds += bonded + unbonding + (await observer.read.registry.rewardOf([identity.node]))
  }
  const salt = await observer.read.salt.balanceOf([contracts.registry])
  // Rewards of a slash are halves rounded down: what is left of the division was burned with the rest.
  same(salt, bonds, 'Registry')
  const burned = sumOf(events, 'registry', 'Slashed', 'burned')
  same(await observer.read.salt.totalSupply(), saltSupply - burned, 'SALT supply')
}

/** Follows every accepted claim from the audit report of its round to the money its worker got. */
export async function checkPay(
  world: World,
  job: number,
  guilty: ReadonlySet<string>,
  judge: Judge,
): Promise<{ lies: number }> {
  let lies = 0
  const { nodes, chain, events } = world
  const find = async (digest: Hex): Promise<Uint8Array | undefined> => {
    for (const { store } of nodes) {
      const bytes = await store.get(cidOfDigest(DAG_CBOR, fromHex(digest)))
      if (bytes) return bytes
    }
    return undefined
  }
  const ofJob = events.filter(({ contract, args }) => contract === 'jobs' && Number(args.jobId) === job)
  const earned = new Map<string, bigint>()
  let lastPayout: Hex | undefined
  for (const final of ofJob.filter(({ name }) => name === 'RoundFinal')) {
    const { auditRoot } = final.args.proposal as { auditRoot: Hex }
    const bytes = await find(auditRoot)
    judge(bytes !== undefined, `nobody has the audit report of job ${job}, round ${final.args.round}`)
    if (!bytes) return { lies }
    const report = decodeDocument(auditReport, bytes)
    lastPayout = report.payout
    for (const { worker, pay, outcome } of report.claims) {
      const isAccepted = outcome === 'matches' || outcome === 'not-drawn'
      judge(isAccepted === pay > 0n, `job ${job}: a claim that is ${outcome} is paid ${pay}`)
      if (guilty.has(worker)) lies++
      judge(!guilty.has(worker) || pay === 0n, `job ${job}, round ${final.args.round}: the lie of ${worker} is paid`)
      earned.set(worker, (earned.get(worker) ?? 0n) + pay)
    }
  }
  const payout = lastPayout && (await find(lastPayout))
  judge(payout !== undefined, `nobody has the payout list of job ${job}`)
  if (!payout) return { lies }
  const leaves = decodeDocument(payoutDocument, payout).leaves
  for (const [worker, total] of earned) {
    const leaf = leaves.find(({ account }) => account === worker)?.amount ?? 0n
    judge(leaf === total, `job ${job}: ${worker} earned ${total}, the payout list says ${leaf}`)
    const claims = ofJob.filter(({ name, args }) => name === 'PayClaimed' && args.account === worker)
    const received = claims.reduce((sum, event) => sum + amountOf(event, 'amount'), 0n)
    judge(received === total, `job ${job}: ${worker} earned ${total} and received ${received}`)
  }
  const paid = await chain.observer.read.jobs.status([BigInt(job)])
  const sum = [...earned.values()].reduce((a, b) => a + b, 0n)
  judge(paid.finalPayoutTotal === sum, `job ${job}: pays ${paid.finalPayoutTotal}, accepted work is worth ${sum}`)
  return { lies }
}

export function checkCalls(world: World, report: CallsReport, judge: Judge): void {
  const claimed = sumOf(world.events, 'channels', 'Claimed', 'amount')
  judge(
    report.isDone && report.claimed === report.promised,
    `vouchers: ${report.promised} promised, ${report.claimed} claimed`,
  )
  judge(claimed === report.promised, `vouchers promise ${report.promised}, the contract paid ${claimed}`)
  judge(report.replaysTaken === 0, `${report.replaysTaken} vouchers were paid twice`)
}
