import { lowerMedian, whoIsLate } from '@potluck/learning'
import { sha256, toHex, utf8 } from '@potluck/protocol'
import { checkRun } from './checkRun.ts'
import type { Round } from './RoundChain.ts'
import type { ScenarioWorld } from './ScenarioWorld.ts'

export type RoundReport = {
  readonly round: number
  /** Simulated, from opening to the next model's root. */
  readonly tookMs: number
  readonly deadlineMs: number
  /** Pieces given out, and those in the fixed set; `late` ones are of the round before. */
  readonly expected: number
  readonly counted: number
  readonly late: number
  readonly takenOver: number
  readonly loss: number
  readonly accuracy: number
}

export type ScenarioReport = {
  readonly name: string
  readonly seed: number
  /** Equal for two runs exactly when they were the same, event by event. */
  readonly mark: string
  readonly rounds: readonly RoundReport[]
  readonly workers: number
  /** Simulated. */
  readonly simulatedMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  /** Inner steps in fixed sets ÷ all that were computed, lost ones included. */
  readonly goodput: number
  /** What became of the steps that were computed: in a set, cut off by a crash, or done twice or too late. */
  readonly steps: { readonly counted: number; readonly cut: number; readonly spare: number }
  /** Time spent in training ÷ time that workers were up. */
  readonly utilisation: number
  readonly bytesUp: number
  readonly bytesDown: number
  /** Sent from one region to another by all nodes, by what it was for: `deliver`, `frames`, `list`, `mean`, `chunks` of models, … */
  readonly bytesBetween: Readonly<Record<string, number>>
  readonly messages: number
  readonly diskBytes: number
  readonly fsyncs: number
  readonly signaturesVerified: number
  readonly chunksVerified: number
  readonly crashes: number
  readonly joins: number
  readonly leaves: number
  readonly spoiltChunks: number
  readonly accepted: number
  readonly refused: Readonly<Record<string, number>>
  /** Who was late in the last round in which somebody was, and why. */
  readonly late: readonly string[]
  /** What should never happen and did. */
  readonly broken: readonly string[]
  readonly story: readonly string[]
}

export async function reportRound(world: ScenarioWorld, round: Round): Promise<RoundReport> {
  const set = round.set ?? []
  const late = set.filter(({ key }) => !key.startsWith(`${round.number}/`)).length
  const root = round.root ?? round.baseRoot
  const model = world.models.get(root)
  const evaluation = model && (await world.evaluate(model.values))
  return {
    round: round.number,
    tookMs: Math.round(round.closedMs - round.openedMs),
    deadlineMs: Math.round(round.deadlineMs - round.openedMs),
    expected: round.expected,
    counted: set.length,
    late,
    takenOver: round.tasks.filter(({ share, worker }) => share !== worker).length,
    loss: evaluation?.loss ?? Number.NaN,
    accuracy: evaluation?.accuracy ?? Number.NaN,
  }
}

export function reportRun(world: ScenarioWorld, rounds: readonly RoundReport[]): ScenarioReport {
  const { scenario, scheduler, chain, ledger, links, machines, keepers } = world
  const times = rounds.map(({ tookMs }) => tookMs).sort((a, b) => a - b)
  const counted = chain.rounds.reduce((sum, { set }) => sum + (set?.length ?? 0), 0)
  const stepsCounted = (counted * scenario.training.steps) / scenario.pieces
  const bytes = machines.map(({ node }) => links.bytesOf(node))
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)
  const state = chain.rounds.map(({ root, set }) => `${root}:${set?.map(({ id }) => id).join(',')}`).join('\n')
  return {
    ...{ name: scenario.name, seed: scenario.seed, rounds, workers: machines.length - keepers.length },
    mark: `${scheduler.mark.toString(16).padStart(8, '0')}-${toHex(sha256(utf8(state))).slice(2, 18)}`,
    simulatedMs: Math.round(scheduler.nowMs),
    p50Ms: lowerMedian(times),
    p95Ms: times[Math.max(0, Math.ceil(0.95 * times.length) - 1)] ?? 0,
    goodput: ledger.stepsComputed === 0 ? 0 : stepsCounted / ledger.stepsComputed,
    steps: {
      counted: stepsCounted,
      cut: ledger.stepsCut,
      spare: ledger.stepsComputed - ledger.stepsCut - stepsCounted,
    },
    utilisation: ledger.upMs === 0 ? 0 : ledger.trainedMs / ledger.upMs,
    bytesUp: Math.round(sum(bytes.slice(keepers.length).map(({ up }) => up))),
    bytesDown: Math.round(sum(bytes.slice(keepers.length).map(({ down }) => down))),
    bytesBetween: Object.fromEntries([...links.between].sort(([, a], [, b]) => b - a)),
    messages: links.messages,
    diskBytes: sum(machines.map(({ disk }) => disk.written)),
    fsyncs: sum(machines.map(({ disk }) => disk.fsyncs)),
    signaturesVerified: world.deliveries.verified + world.receipts.verified,
    chunksVerified: world.chunks.verified,
    ...{ crashes: ledger.crashes, joins: ledger.joins, leaves: ledger.leaves, spoiltChunks: ledger.spoiltChunks },
    accepted: ledger.accepted.size,
    refused: Object.fromEntries([...ledger.refused].sort(([, a], [, b]) => b - a)),
    late: lateLines(world),
    broken: checkRun(world),
    story: ledger.lines.map(({ atMs, text }) => `${(atMs / 1_000).toFixed(2)} ${text}`),
  }
}

const MOST_LATE = 5

function lateLines({ chain, ledger, scenario, links }: ScenarioWorld): string[] {
  for (const round of [...chain.rounds].reverse()) {
    if (!round.set) continue
    const times = ledger.times.get(round.number)
    const workers = [
      ...new Set(round.tasks.filter(({ share, worker }) => share === worker).map(({ worker }) => worker)),
    ]
    const lastsMs = Math.max(0, round.deadlineMs - round.openedMs)
    const lastSeenMs = (worker: number): number =>
      Math.round(Math.min(lastsMs, Math.max(0, links.lastSentMs(worker) - round.openedMs)))
    const members = workers.map((worker) => {
      const one = times?.get(worker)
      const member = `worker ${worker}`
      return one ? { member, quarters: scenario.pieces, ...one } : { member, lastSeenMs: lastSeenMs(worker) }
    })
    const late = whoIsLate(members, Math.round(lastsMs))
    if (late.length > 0) {
      const rest = late.length > MOST_LATE ? [`and ${late.length - MOST_LATE} more in round ${round.number}`] : []
      return [...late.slice(0, MOST_LATE).map(({ why }) => `round ${round.number}: ${why}`), ...rest]
    }
  }
  return []
}
