import { z } from 'zod'
import { table } from '../demo/Screen.ts'
import type { Participant } from '../network/plan.ts'
import { askJson } from './askJson.ts'
import { lateLines, lateShares } from './lateShares.ts'
import { type Network, type NetworkOptions, networkAt } from './networkAt.ts'
import { phaseName } from './phases.ts'
import type { Printed } from './printed.ts'

const nodeAnswer = z.object({
  node: z.string(),
  key: z.string(),
  block: z.coerce.number().nullish(),
  p2p: z.object({ peers: z.array(z.unknown()) }),
  known: z.array(z.object({ node: z.string(), seenMs: z.number() })),
  rowBudget: z.object({ epsilon: z.number(), delta: z.number(), spent: z.number() }).nullish(),
  jobs: z.array(z.object({ job: z.number(), late: lateShares.nullish() })).default([]),
})
export type NodeAnswer = z.infer<typeof nodeAnswer>

/** Keys in the JSON: what is down is null, and `trouble` says why. */
export type ParticipantState = {
  name: string
  node: string
  url: string
  up: boolean
  block: number | null
  peers: number | null
  knows: number | null
  trouble: string | null
  /** By job: who was late with a share, as this node found it. */
  late: NodeAnswer['jobs']
  /** What may be learnt about a row of its table, and what of it is spent; null without a budget. */
  rowBudget: NonNullable<NodeAnswer['rowBudget']> | null
}
type JobState = { job: number; phase: string; round: number; rounds: number; modelVersion: number | null }

const gatewayHealth = z.object({ status: z.string(), versions: z.number(), owed: z.string() })
export const ledgerHealth = z.object({
  ok: z.boolean(),
  database: z.string(),
  chain: z.string(),
  block: z.number().nullable(),
  lagBlocks: z.number().nullable(),
  trouble: z.string().nullable(),
})
const modelList = z.object({ data: z.array(z.object({ id: z.string() })) })

/** What a node of the plan says of itself. Throws when it is down, or when another answers at its port. */
export async function askNode(one: Participant): Promise<NodeAnswer> {
  const said = await askJson(one.name, `${urlOf(one)}/status`, nodeAnswer, { timeoutMs: 3_000 })
  if (said.node !== one.node) throw new Error(`${urlOf(one)} is answered by another node, ${said.node}`)
  return said
}

export const urlOf = (one: Participant): string => `http://127.0.0.1:${one.httpPort}`

async function stateOf(one: Participant): Promise<ParticipantState> {
  const { name, node } = one
  try {
    const said = await askNode(one)
    const seen = { block: said.block ?? null, peers: said.p2p.peers.length, knows: said.known.length }
    return {
      name,
      node,
      url: urlOf(one),
      up: true,
      ...seen,
      trouble: null,
      late: said.jobs,
      rowBudget: said.rowBudget ?? null,
    }
  } catch (error) {
    const trouble = (error as Error).message
    return {
      name,
      node,
      url: urlOf(one),
      up: false,
      block: null,
      peers: null,
      knows: null,
      trouble,
      late: [],
      rowBudget: null,
    }
  }
}

/** All jobs on chain, oldest first. */
export async function jobStates({ chain }: Pick<Network, 'chain'>): Promise<JobState[]> {
  const count = Number(await chain.read.jobs.jobCount())
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const id = BigInt(i + 1)
      const [status, terms] = await Promise.all([chain.read.jobs.status([id]), chain.read.jobs.termsOf([id])])
      const { phase, round, modelVersion } = status
      const version = modelVersion === 0n ? null : Number(modelVersion)
      return { job: i + 1, phase: phaseName(phase), round, rounds: terms.rounds, modelVersion: version }
    }),
  )
}

type Part<T> = { up: true; said: T } | { up: false; trouble: string }

/** A part's answer, or why there is none: what is down hides nothing of what is up. */
async function part<T>(ask: () => Promise<T>): Promise<Part<T>> {
  try {
    return { up: true, said: await ask() }
  } catch (error) {
    return { up: false, trouble: (error as Error).message }
  }
}

const notNamed = (what: string) => (): Promise<never> =>
  Promise.reject(new Error(`no ${what} is known: name one with --${what}`))

/** How the network stands, however much of it is down. */
export async function status(options: NetworkOptions): Promise<Printed> {
  const network = networkAt(options)
  const { chain, gatewayUrl, ledgerUrl } = network
  const gatewayPart = async () => {
    const health = await askJson('the gateway', `${gatewayUrl}/health`, gatewayHealth)
    const { data } = await askJson('the gateway', `${gatewayUrl}/v1/models`, modelList)
    return { url: gatewayUrl, owed: health.owed, models: data.map(({ id }) => id) }
  }
  const ledgerPart = async () => ({
    url: ledgerUrl,
    ...(await askJson('the ledger', `${ledgerUrl}/health`, ledgerHealth, { anyStatus: true })),
  })
  const [participants, head, jobs, gateway, ledger] = await Promise.all([
    Promise.all(network.participants.map(stateOf)),
    part(async () => ({ block: Number(await chain.blockNumber()), timeSeconds: Number(await chain.now()) })),
    part(() => jobStates(network)),
    part(gatewayUrl === undefined ? notNamed('gateway') : gatewayPart),
    part(ledgerUrl === undefined ? notNamed('ledger') : ledgerPart),
  ])
  const { name, chainId } = network.deployment
  const value = { dir: network.layout.root, deployment: name, chainId, rpcUrl: network.rpcUrl, chain: head }
  return {
    value: { ...value, participants, jobs, gateway, ledger },
    lines: lines(value, participants, jobs, gateway, ledger),
  }
}

function lines(
  { deployment, rpcUrl, chain }: { deployment: string; rpcUrl: string; chain: Part<{ block: number }> },
  participants: ParticipantState[],
  jobs: Part<JobState[]>,
  gateway: Part<{ models: string[]; owed: string }>,
  ledger: Part<z.infer<typeof ledgerHealth>>,
): string[] {
  const rows = participants.map((one) =>
    one.up ? [one.name, 'up', String(one.block ?? '?'), `${one.peers}`, one.url] : [one.name, 'DOWN', '', '', one.url],
  )
  const jobRows = jobs.up
    ? jobs.said.map((one) => [
        String(one.job),
        one.phase,
        `${Math.min(one.round + 1, one.rounds)} of ${one.rounds}`,
        one.modelVersion === null ? 'no model yet' : `model potluck/${one.modelVersion}`,
      ])
    : []
  const down = participants.filter(({ up }) => !up).length
  return [
    chain.up ? `chain    ${rpcUrl}, ${deployment}, block ${chain.said.block}` : `chain    DOWN: ${chain.trouble}`,
    gateway.up
      ? `gateway  ${gateway.said.models.length} model names: ${gateway.said.models.join(', ') || 'none yet'}`
      : `gateway  DOWN: ${gateway.trouble}`,
    ledger.up
      ? `ledger   ${ledger.said.ok ? 'up' : 'IN TROUBLE'}, block ${ledger.said.block ?? '?'}, ${ledger.said.lagBlocks ?? '?'} behind, database ${ledger.said.database}`
      : `ledger   DOWN: ${ledger.trouble}`,
    '',
    ...(rows.length > 0 ? table([['participant', '', 'block', 'peers', 'at'], ...rows]) : []),
    ...participants.flatMap(({ name, rowBudget }) =>
      rowBudget
        ? [`rows of ${name}: ε ${rowBudget.spent.toFixed(2)} of ${rowBudget.epsilon} spent, at δ ${rowBudget.delta}`]
        : [],
    ),
    ...(down > 0
      ? [`${down} of ${rows.length} are down; their logs are in their folders, \`potluck doctor\` looks closer`]
      : []),
    '',
    ...(jobs.up
      ? jobRows.length > 0
        ? table([['job', 'phase', 'round', ''], ...jobRows])
        : ['no jobs yet']
      : [`jobs: not known, ${jobs.trouble}`]),
    ...lateLines(
      participants.map(({ late }) => late),
      (account) => participants.find(({ node }) => node === account)?.name ?? account,
    ),
  ]
}
