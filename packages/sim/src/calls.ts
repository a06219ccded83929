/** A payer's calls, paid along a channel: vouchers are signed at random moments, the operator claims them late, in heaps and sometimes twice. */
import { type Chain, networkName } from '@potluck/chain'
import {
  allocationHash,
  channelIdOf,
  channelsDomain,
  codeOf,
  type Hex,
  requestHash,
  signDigest,
  toHex,
  voucherDigest,
} from '@potluck/protocol'
import type { Network } from './Network.ts'
import type { World } from './World.ts'

export const DEPOSIT = 10_000_000n
const CALLS = 6

/** What became of the calls; amounts in token units. */
export type CallsReport = {
  promised: bigint
  claimed: bigint
  replaysRefused: number
  replaysTaken: number
  isDone: boolean
}

export function channelOf(network: Network) {
  const { payer, operator, deployment, channelSalt } = network
  const token = (deployment.tokens[0] as { address: Hex }).address
  return {
    payer: payer.address,
    signer: payer.address,
    operator: operator.address,
    token,
    withdrawDelaySeconds: 3_600,
    salt: channelSalt,
  }
}

type Item = {
  payer: Hex
  signer: Hex
  withdrawDelaySeconds: number
  salt: Hex
  lane: number
  from: bigint
  cumulative: bigint
  requestHash: Hex
  r: Hex
  vs: Hex
}

/** ERC-2098: the recovery bit in the free top bit of s. */
function compact(signature: Uint8Array): { r: Hex; vs: Hex } {
  const vs = signature.slice(32, 64)
  if (signature[64] === 28) vs[0] = (vs[0] ?? 0) | 0x80
  return { r: toHex(signature.slice(0, 32)), vs: toHex(vs) }
}

/** Starts payer and operator; they end by themselves once every voucher is claimed. */
export function startCalls(network: Network, world: World): CallsReport {
  const { deployment, payer, operator, plans } = network
  const { scheduler, chain } = world
  const draws = world.draws('calls')
  const life = { isAlive: true }
  const config = channelOf(network)
  const channelId = channelIdOf(deployment.chainId, deployment.contracts.channels, config)
  const domain = channelsDomain(deployment.chainId, deployment.contracts.channels)
  const allocation = {
    version: network.paidVersion,
    provider: (plans[0] as (typeof plans)[0]).identity.node,
    providerShare: 200_000,
    gateway: (plans[1] as (typeof plans)[0]).identity.node,
    gatewayShare: 100_000,
  }
  const report: CallsReport = { promised: 0n, claimed: 0n, replaysRefused: 0, replaysTaken: 0, isDone: false }
  const unclaimed: Item[] = []

  function sign(cumulative: bigint, call: number): Item {
    const voucher = {
      channelId,
      lane: 0,
      from: report.promised,
      cumulative,
      requestHash: requestHash('/v1/completions', { network: networkName(deployment), call }),
      allocationHash: allocationHash(allocation),
    }
    const { from, requestHash: hash } = voucher
    const { signer, withdrawDelaySeconds, salt } = config
    return {
      payer: payer.address,
      signer,
      withdrawDelaySeconds,
      salt,
      lane: 0,
      from,
      cumulative,
      requestHash: hash,
      ...compact(signDigest(voucherDigest(domain, voucher), payer.secret)),
    }
  }

  async function pay(): Promise<void> {
    for (let call = 0; call < CALLS; call++) {
      await scheduler.sleep(draws.between(200, 2_500), life)
      const cumulative = report.promised + BigInt(draws.between(1, 900_000))
      unclaimed.push(sign(cumulative, call))
      report.promised = cumulative
    }
  }

  const claim = (client: Chain, items: Item[]) => {
    const group = { token: config.token, allocation: { ...allocation, version: BigInt(allocation.version) }, items }
    return client.send('channels', 'claim', [[group]])
  }

  async function settle(): Promise<void> {
    const client = chain.clientOf(-1, life, operator.secret)
    let last: Item | undefined
    for (let calls = 0; calls < CALLS; ) {
      await scheduler.sleep(draws.between(1_000, 6_000), life)
      const items = unclaimed.splice(0)
      const newest = items.at(-1)
      if (newest) {
        await claim(client, items)
        calls += items.length
        report.claimed = newest.cumulative
        last = newest
      }
      if (!last || !draws.happens(0.5)) continue
      try {
        // An operator that lost its memory, or its honesty, brings the same voucher again.
        await claim(client, [last])
        report.replaysTaken++
      } catch (error) {
        if (codeOf(error) !== 'REVERTED') throw error
        report.replaysRefused++
      }
    }
    report.isDone = true
  }

  const fail = (error: unknown): void => {
    world.escaped.push(`calls: ${(error as Error).stack ?? error}`)
  }
  void pay().catch(fail)
  void settle().catch(fail)
  return report
}
