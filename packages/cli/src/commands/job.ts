import { setTimeout as sleep } from 'node:timers/promises'
import type { Chain } from '@potluck/chain'
import { PotluckError } from '@potluck/protocol'
import { z } from 'zod'
import { type NodeStatus, nodeStatus } from '../demo/nodeStatus.ts'
import { Screen, table } from '../demo/Screen.ts'
import { type AccountOptions, actingChain } from './account.ts'
import { formatAmount } from './amounts.ts'
import { askJson } from './askJson.ts'
import { handedInLines, updatesHandedIn } from './handedIn.ts'
import { jobDocumentOf, jobResistanceText } from './jobDocumentOf.ts'
import { type Network, type NetworkOptions, nameOfNode, networkAt, tokenOf } from './networkAt.ts'
import { DONE, ENROLLING, phaseName } from './phases.ts'
import type { Printed } from './printed.ts'
import { jobStates, urlOf } from './status.ts'

type OneJob = NetworkOptions & { job: number }
type OnChain = Awaited<ReturnType<Chain['read']['jobs']['status']>>
type Live = NodeStatus['jobs'][number]

const ledgerJob = z
  .object({
    name: z.string().nullable(),
    kind: z.string().nullable(),
    roundsSoFar: z.array(
      z
        .object({
          round: z.number(),
          claims: z.number().nullable(),
          payoutTotal: z.string().nullable(),
          final: z.boolean(),
        })
        .passthrough(),
    ),
    claims: z.array(
      z
        .object({
          round: z.number(),
          worker: z.string(),
          share: z.number(),
          outcome: z.string(),
          weightPpm: z.number(),
          pay: z.string(),
        })
        .passthrough(),
    ),
    convictions: z.array(
      z.object({ round: z.number(), node: z.string(), slashed: z.string(), tx: z.string() }).passthrough(),
    ),
  })
  .passthrough()

/** The job on chain. Throws NOT_FOUND with how many there are. */
export async function onChain({ chain }: Network, job: number): Promise<OnChain> {
  const status = await chain.read.jobs.status([BigInt(job)])
  if (status.phase !== 0) return status
  const count = await chain.read.jobs.jobCount()
  const there = count === 0n ? 'there are none yet' : `there are jobs 1 to ${count}`
  throw new PotluckError('NOT_FOUND', `there is no job ${job}: ${there}`, { job, count })
}

/** What nodes see of a job between the chain's steps: of the first validator that answers, or of any other node. */
async function liveOf(network: Network, job: number): Promise<Live | undefined> {
  const VALIDATOR = 2
  const order = [...network.participants].sort((a, b) => (b.roles & VALIDATOR) - (a.roles & VALIDATOR))
  for (const one of order.slice(0, 5)) {
    try {
      const found = (await nodeStatus(urlOf(one))).jobs.find((each) => each.job === job)
      if (found) return found
    } catch {
      // It is down: another one sees as much.
    }
  }
  return undefined
}

async function indexed({ ledgerUrl }: Network, job: number): Promise<z.infer<typeof ledgerJob> | undefined> {
  if (ledgerUrl === undefined) return undefined
  try {
    return await askJson('the ledger', `${ledgerUrl}/jobs/${job}`, ledgerJob)
  } catch {
    // Without the ledger there is no history of claims; what the chain says is shown all the same.
    return undefined
  }
}

export async function jobList(options: NetworkOptions): Promise<Printed> {
  const network = networkAt(options)
  const states = await jobStates(network)
  const jobs = await Promise.all(
    states.map(async (one) => {
      const known = await indexed(network, one.job)
      return { ...one, name: known?.name ?? null, kind: known?.kind ?? null }
    }),
  )
  const rows = jobs.map((one) => [
    String(one.job),
    one.name ?? '(not known to a ledger)',
    one.kind ?? '?',
    one.phase,
    `${Math.min(one.round + 1, one.rounds)} of ${one.rounds}`,
    one.modelVersion === null ? '' : `potluck/${one.modelVersion}`,
  ])
  return {
    value: { jobs },
    lines: rows.length > 0 ? table([['job', 'name', 'kind', 'phase', 'round', 'model'], ...rows]) : ['no jobs yet'],
  }
}

export async function jobShow(options: OneJob): Promise<Printed> {
  const network = networkAt(options)
  const { job } = options
  const status = await onChain(network, job)
  const terms = await network.chain.read.jobs.termsOf([BigInt(job)])
  const [live, record] = await Promise.all([liveOf(network, job), indexed(network, job)])
  const { symbol, decimals } = tokenOf(network.deployment, terms.token)
  const money = (units: bigint | string): string => `${formatAmount(BigInt(units), decimals)} ${symbol}`
  const name = (node: string): string => nameOfNode(network, node)
  const claimRows = (record?.claims ?? []).map((one) => [
    String(one.round + 1),
    String(one.share),
    name(one.worker),
    one.outcome,
    money(one.pay),
  ])
  const [handedIn, document] = await Promise.all([
    updatesHandedIn(network, job),
    jobDocumentOf(network, terms.specDigest),
  ])
  const resistance = document?.kind === 'language' ? (document.resistance ?? null) : null
  return {
    value: {
      job,
      phase: phaseName(status.phase),
      status,
      terms,
      live: live ?? null,
      record: record ?? null,
      handedIn,
      resistance,
    },
    lines: [
      `job ${job}${record?.name ? `: ${record.name}` : ''}, ${phaseName(status.phase)}, round ${Math.min(status.round + 1, terms.rounds)} of ${terms.rounds}`,
      `builder   ${name(status.builder)} ${status.builder}`,
      `members   ${status.workers} workers, ${status.validators} validators, ${status.witnesses} witnesses`,
      `money     ${money(terms.payPerRound)} a round, ${money(status.paidTotal)} paid so far${status.refunded ? ', the rest given back' : ''}`,
      `data      ${terms.dataVersions.map((one, i) => `version ${one} (${(terms.parentShares[i] ?? 0) / 10_000} %)`).join(', ')}`,
      `model     ${status.modelVersion === 0n ? 'not published yet' : `potluck/${status.modelVersion}`}`,
      `poisoning resistance: ${jobResistanceText(document)}`,
      ...(live && status.phase < DONE ? [`now       ${progressLine(status, live, terms.rounds)}`] : []),
      ...handedInLines(handedIn),
      ...(claimRows.length > 0 ? ['', ...table([['round', 'share', 'worker', 'outcome', 'pay'], ...claimRows])] : []),
      ...(record?.convictions ?? []).map(
        (one) =>
          `round ${one.round + 1}: ${name(one.node)} convicted, ${formatAmount(BigInt(one.slashed), 18)} SALT slashed (${one.tx})`,
      ),
    ],
  }
}

/** The claims' mean training loss; undefined where there is none, as in a private job. */
function meanLoss({ claims }: Live): number | undefined {
  const sum = claims.reduce((all, one) => all + one.loss, 0)
  return sum > 0 ? sum / claims.length : undefined
}

/** One line about a running job. */
export function progressLine(status: Pick<OnChain, 'phase' | 'round'>, live: Live | undefined, rounds: number): string {
  const head = `round ${Math.min(status.round + 1, rounds)} of ${rounds}: ${phaseName(status.phase)}`
  if (!live || live.round !== status.round) return head
  const steps = live.beats.map(({ step, steps: all }) => `${Math.round((100 * step) / Math.max(1, all))}%`).join(' ')
  const loss = meanLoss(live)
  const told = loss === undefined ? '' : `, loss ${loss.toFixed(3)}`
  const claims = live.claims.length > 0 ? `, ${live.claims.length} claims${told}` : ''
  return `${head}${status.phase === 2 && steps ? ` ${steps}` : ''}${claims}`
}

/** Follows a job to its end. Progress goes to standard error with `--json`, so that standard output holds one value. */
export async function jobWatch(options: OneJob & { json?: boolean }): Promise<Printed> {
  const network = networkAt(options)
  const { job } = options
  const stream = options.json ? process.stderr : process.stdout
  const screen = new Screen((text) => stream.write(text), stream.isTTY === true)
  const { rounds } = await onChain(network, job).then(() => network.chain.read.jobs.termsOf([BigInt(job)]))
  const losses: number[] = []
  let told = -1
  for (;;) {
    const status = await onChain(network, job)
    const live = await liveOf(network, job)
    const line = progressLine(status, live, rounds)
    const loss = live && live.round === status.round ? meanLoss(live) : undefined
    if (loss !== undefined) losses[status.round] = loss
    if (status.finalRounds > told && status.finalRounds > 0) {
      const last = losses[status.finalRounds - 1]
      screen.fact(
        `round ${status.finalRounds} of ${rounds} is final${last === undefined ? '' : `, training loss ${last.toFixed(3)}`}`,
      )
    }
    told = status.finalRounds
    if (status.phase >= DONE) {
      const value = {
        job,
        phase: phaseName(status.phase),
        finalRounds: status.finalRounds,
        modelVersion: status.modelVersion,
        losses: losses.map((one) => one ?? null),
      }
      const next = status.modelVersion === 0n && status.phase === DONE ? `; next: potluck job publish ${job}` : ''
      return { value, lines: [`job ${job} is ${phaseName(status.phase)}${next}`] }
    }
    const waiting =
      status.phase === ENROLLING
        ? `enrolled: ${status.workers} workers, ${status.validators} validators, ${status.witnesses} witnesses`
        : line
    screen.live(waiting)
    await sleep(500)
  }
}

const steps = { start: 'start', publish: 'publishModel', refund: 'refund', cancel: 'cancel' } as const

/** One of the steps that anybody may take for a job, with whose money for gas is theirs to choose. */
export async function jobStep(options: OneJob & AccountOptions & { step: keyof typeof steps }): Promise<Printed> {
  const network = networkAt(options)
  const { job, step } = options
  await onChain(network, job)
  const chain = await actingChain(network, options)
  const { hash } = await chain.send('jobs', steps[step], [BigInt(job)])
  const { phase, modelVersion } = await onChain(network, job)
  const model = modelVersion === 0n ? null : Number(modelVersion)
  const said = {
    start: 'is started',
    publish: `is published as potluck/${model}`,
    refund: 'gave back what it had left',
    cancel: 'is cancelled, its money is back',
  }[step]
  return {
    value: { job, step, hash, phase: phaseName(phase), modelVersion: model },
    lines: [`job ${job} ${said} (${hash})`],
  }
}
