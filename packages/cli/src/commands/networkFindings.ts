/** What `doctor` learns by asking: chain, clocks, funds, peers, services. */
import type { Chain } from '@potluck/chain'
import { codeOf, PotluckError } from '@potluck/protocol'
import { z } from 'zod'
import type { Participant } from '../network/plan.ts'
import { formatAmount } from './amounts.ts'
import { askJson } from './askJson.ts'
import { type Finding, fine, wrong } from './Finding.ts'
import type { Network } from './networkAt.ts'
import { askNode, ledgerHealth, type NodeAnswer } from './status.ts'

/** Messages older or newer than a minute are not taken by peers; half of it is left for the way. */
const MOST_SKEW_SECONDS = 30
const LEAST_COIN = 10n ** 16n
const MOST_LAG_BLOCKS = 40

const why = (error: unknown): string => (error as Error).message

/** The chain answers and serves this deployment. */
export async function chainFinding({ chain, rpcUrl }: Pick<Network, 'chain' | 'rpcUrl'>): Promise<Finding> {
  try {
    await chain.check()
    return fine('chain', rpcUrl, `serves ${chain.deployment.name} (chain ${chain.deployment.chainId})`)
  } catch (error) {
    const remedy =
      codeOf(error) === 'RPC_UNREACHABLE'
        ? 'start the network with `potluck up`, or name another chain with --rpc'
        : 'use the deployment file of this chain (--deployment), or the endpoint of that one (--rpc)'
    return wrong('chain', rpcUrl, why(error), remedy)
  }
}

/** This machine's clock against the newest block. */
export async function chainClockFinding(chain: Pick<Chain, 'now'>, nowMs: number): Promise<Finding> {
  const skew = Math.round(nowMs / 1000 - Number(await chain.now()))
  return clockFinding("the chain's newest block", skew)
}

/** This machine's clock against a peer's message; `seenMs` is the newest sign of life a node has of another. */
export function clockFinding(subject: string, skewSeconds: number): Finding {
  const seen = `${Math.abs(skewSeconds)} s ${skewSeconds < 0 ? 'ahead of' : 'behind'} this machine`
  if (Math.abs(skewSeconds) <= MOST_SKEW_SECONDS) return fine('clock', subject, seen)
  return wrong(
    'clock',
    subject,
    seen,
    'set the clock (`timedatectl set-ntp true`); if the clock is right, the chain or the peer stands still',
  )
}

/** Every participant: registered with its key, bonded, with coins for gas on both accounts. */
export async function fundsFindings(chain: Chain, one: Participant): Promise<Finding[]> {
  const [key, bond, ...coins] = await Promise.all([
    chain.read.registry.keyOf([one.node]),
    chain.read.registry.bondOf([one.node]),
    chain.balanceOf(one.key),
    chain.balanceOf(one.node),
  ])
  const findings: Finding[] = []
  if (key !== one.key) {
    findings.push(
      wrong(
        'registration',
        one.name,
        `the chain has the node key ${key}`,
        `the plan has ${one.key}: restart \`potluck up\`, or bring them together with \`potluck keys rotate ${one.name}\``,
      ),
    )
  }
  if (bond === 0n)
    findings.push(
      wrong(
        'funds',
        one.name,
        'no SALT is bonded',
        `bond some with the cold key ${one.node}: \`potluck up\` does it at its start`,
      ),
    )
  for (const [i, account] of [one.key, one.node].entries()) {
    const coin = coins[i] ?? 0n
    if (coin >= LEAST_COIN) continue
    const remedy = `send coins to ${account}, its ${i === 0 ? 'node' : 'cold'} key; it cannot pay for gas`
    findings.push(wrong('funds', one.name, `${formatAmount(coin, 18)} coins for gas`, remedy))
  }
  if (findings.length > 0) return findings
  return [fine('funds', one.name, `${formatAmount(bond, 18)} SALT bonded, coins for gas`)]
}

/** The builder's and callers' tokens: without them nothing can be ordered. */
export async function tokensFinding(network: Network, one: Participant): Promise<Finding[]> {
  return Promise.all(
    network.deployment.tokens.map(async ({ symbol, address, decimals }) => {
      const held = await network.chain.erc20(address).read.balanceOf([one.node])
      const seen = `${formatAmount(held, decimals)} ${symbol}`
      if (held > 0n) return fine('funds', `${one.name}, ${symbol}`, seen)
      return wrong(
        'funds',
        `${one.name}, ${symbol}`,
        seen,
        `send ${symbol} to ${one.node}; on an embedded chain: \`potluck wallet fund --as ${one.name}\``,
      )
    }),
  )
}

/** Each node up, and with peers. Gives the answers too, for the clock. */
export async function peerFindings(
  participants: readonly Participant[],
): Promise<{ findings: Finding[]; answers: NodeAnswer[] }> {
  const answers: NodeAnswer[] = []
  const findings = await Promise.all(
    participants.map(async (one) => {
      try {
        const said = await askNode(one)
        answers.push(said)
        const count = said.p2p.peers.length
        if (count > 0 || participants.length === 1) return fine('peers', one.name, `${count} peers`)
        return wrong(
          'peers',
          one.name,
          'no peers',
          'check that its bootstrap address in config.json is one of a node that is up',
        )
      } catch (error) {
        const remedy = 'start it; its log in the network folder says why it stopped'
        const seen = error instanceof PotluckError ? `no answer at port ${one.httpPort}` : why(error)
        return wrong('peers', one.name, seen, remedy)
      }
    }),
  )
  if (answers.length > 0 || participants.length === 0) return { findings, answers }
  // All of them for one reason: said once.
  const seen = `none of ${participants.length} nodes answers`
  return { findings: [wrong('peers', 'the network', seen, 'start it with `potluck up`')], answers }
}

/** The ledger with its database, and how far it is behind. */
export async function ledgerFinding(url: string | undefined): Promise<Finding> {
  if (url === undefined) return fine('ledger', 'none named', 'not looked at')
  try {
    const health = await askJson('the ledger', `${url}/health`, ledgerHealth, { anyStatus: true })
    if (health.database !== 'up')
      return wrong(
        'ledger',
        url,
        'its database is down',
        "start Postgres, or check databaseUrl in the ledger's config.json",
      )
    const lag = health.lagBlocks ?? Number.POSITIVE_INFINITY
    if (lag > MOST_LAG_BLOCKS || health.trouble !== null) {
      return wrong(
        'ledger',
        url,
        `${lag} blocks behind${health.trouble ? `: ${health.trouble}` : ''}`,
        'wait until it has caught up; if it does not, its log says what it stumbles over',
      )
    }
    return fine('ledger', url, `database up, ${lag} blocks behind`)
  } catch (error) {
    return wrong('ledger', url, 'no answer', why(error))
  }
}

export async function gatewayFinding(url: string | undefined): Promise<Finding> {
  if (url === undefined) return fine('gateway', 'none named', 'not looked at')
  try {
    const { versions } = await askJson('the gateway', `${url}/health`, z.object({ versions: z.number() }))
    return fine('gateway', url, `serves ${versions} model versions`)
  } catch (error) {
    return wrong('gateway', url, 'no answer', why(error))
  }
}
