import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { PotluckError } from '@potluck/protocol'
import {
  type RoundReport,
  runScenario,
  type Scenario,
  type ScenarioData,
  type ScenarioReport,
} from '@potluck/sim/scenario'
import { loadData } from '../training/loadData.ts'
import { type ExecutorChoice, openEngine } from '../training/openEngine.ts'
import type { Printed } from './printed.ts'
import { readScenario, type ScenarioWishes } from './scenarioFile.ts'
import type { LiveOutput } from './train.ts'

export type SimulateOptions = ScenarioWishes & {
  readonly scenario: string
  readonly images?: string
  readonly labels?: string
  readonly csv?: string
  readonly target?: string
  readonly story: boolean
  readonly executor: ExecutorChoice
  readonly threads?: number
  readonly json: boolean
}

/** With --json, standard error holds nothing but an error. */
const liveOf = (json: boolean): LiveOutput => ({
  isTty: process.stderr.isTTY === true,
  write: (text) => (json ? undefined : void process.stderr.write(text)),
})

/** Runs one scenario and judges it; a run with something broken, or stuck, ends with exit code 1 and the seed. */
export async function simulate(options: SimulateOptions, live: LiveOutput = liveOf(options.json)): Promise<Printed> {
  const { seed, rounds, workers } = options
  const wishes = Object.fromEntries(
    Object.entries({ seed, rounds, workers }).filter(([, value]) => value !== undefined),
  )
  const scenario = readScenario(options.scenario, wishes)
  const data = dataOf(options, scenario.seed)
  const engine = await openEngine(options.executor, 1)
  // A thread takes a second to start: not worth it for a few workers.
  const threads = options.threads ?? (scenario.workers >= 100 ? availableParallelism() : 0)
  const startMs = performance.now()
  let lastMs = startMs
  try {
    live.write(`${scenario.name}: ${scenario.workers} workers, ${scenario.keepers} keepers, seed ${scenario.seed}\n`)
    const report = await runScenario({
      ...{ engine, scenario, data, threads },
      realNowMs: () => performance.now(),
      onRound: (round) => {
        const nowMs = performance.now()
        live.write(`${roundLine(round, scenario)}  (${((nowMs - lastMs) / 1_000).toFixed(1)} s real)\n`)
        lastMs = nowMs
      },
    })
    const realMs = Math.round(performance.now() - startMs)
    const rssMb = Math.round(process.resourceUsage().maxRSS / 1_024)
    const value = { ...report, story: options.story ? report.story : [], realMs, rssMb }
    const lines = reportLines(report, {
      ...{ realMs, rssMb, story: options.story, scenario: options.scenario },
      isBuffered: scenario.buffered !== undefined,
    })
    return { value, lines, failed: report.broken.length > 0 }
  } finally {
    await engine.close()
  }
}

/** What the user names to train on; undefined for drawn digits. */
function dataOf({ images, labels, csv, target }: SimulateOptions, seed: number): ScenarioData | undefined {
  if ([images, labels, csv, target].every((one) => one === undefined)) return undefined
  const named = Object.fromEntries(
    Object.entries({ images, labels, csv, target }).filter(([, value]) => value !== undefined),
  )
  const none = { header: 'auto', ignore: [], categorical: [], tokenizer: 'characters' } as const
  const loaded = loadData({ ...none, ...named }, new TextEncoder().encode(`potluck simulate/${seed}`))
  const { train, valid, shape } = loaded
  const classes = shape.kind === 'text' ? null : shape.classes
  if (train.kind !== 'rows' || valid.kind !== 'rows' || classes === null) {
    throw new PotluckError(
      'BAD_USAGE',
      'simulate trains on classes of images or of a table: name --labels, or a --target with classes',
    )
  }
  if (!(train.targets instanceof Int32Array) || !(valid.targets instanceof Int32Array)) return undefined
  return {
    train: { kind: 'rows', inputs: train.inputs, targets: train.targets },
    validation: { kind: 'rows', inputs: valid.inputs, targets: valid.targets },
    classes,
  }
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

function roundLine(round: RoundReport, { rounds, buffered }: Scenario): string {
  const { counted, expected, late, takenOver, tookMs, loss, accuracy } = round
  const lateNote = buffered ? `${late} from older models` : `${late} late`
  const notes = [late > 0 ? lateNote : '', takenOver > 0 ? `${takenOver} taken over` : ''].filter((note) => note !== '')
  const work = `${counted} of ${expected} pieces${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`
  return `${buffered ? 'model' : 'round'} ${round.round} of ${rounds}: ${work} in ${seconds(tookMs)}, loss ${loss.toFixed(4)}, accuracy ${percent(accuracy)}`
}

/** With more than one region what went between them, by what it was asked for with. */
function betweenLines({ bytesBetween }: ScenarioReport): string[] {
  const kinds = Object.entries(bytesBetween)
  if (kinds.length === 0) return []
  const sum = kinds.reduce((all, [, bytes]) => all + bytes, 0)
  return [
    `${megabytes(sum)} between regions: ${kinds.map(([kind, bytes]) => `${kind} ${megabytes(bytes)}`).join(', ')}`,
  ]
}

type Shown = {
  readonly realMs: number
  readonly rssMb: number
  readonly story: boolean
  readonly scenario: string
  readonly isBuffered: boolean
}

function reportLines(report: ScenarioReport, { realMs, rssMb, story, scenario, isBuffered }: Shown): string[] {
  const { rounds, seed, broken, refused } = report
  const last = rounds.at(-1)
  const refusals = Object.entries(refused)
  return [
    ...(story ? report.story : []),
    `${rounds.length} rounds in ${seconds(report.simulatedMs)} simulated (half of them in ${seconds(report.p50Ms)} or less, 95 % in ${seconds(report.p95Ms)}), ${seconds(realMs)} real, ${rssMb} MB`,
    `accuracy ${percent(last?.accuracy ?? 0)}, loss ${(last?.loss ?? 0).toFixed(4)}`,
    `goodput ${percent(report.goodput)} of the steps computed count; utilisation ${percent(report.utilisation)} of the workers' time was training (simulated)`,
    `${megabytes(report.bytesUp)} up and ${megabytes(report.bytesDown)} down by workers, ${report.messages} messages, ${megabytes(report.diskBytes)} in ${report.fsyncs} syncs`,
    ...betweenLines(report),
    `${report.accepted} updates accepted, ${report.signaturesVerified} signatures and ${report.chunksVerified} chunks checked, ${report.spoiltChunks} chunks were spoilt`,
    `${report.crashes} crashes, ${report.joins} joined late, ${report.leaves} left`,
    ...(refusals.length > 0 ? ['refused:', ...refusals.map(([why, count]) => `  ${count} × ${why}`)] : []),
    ...(report.late.length > 0 ? ['late:', ...report.late.map((line) => `  ${line}`)] : []),
    `mark ${report.mark}`,
    ...(broken.length > 0
      ? ['BROKEN:', ...broken.map((line) => `  ${line}`), `replay it with: potluck simulate ${scenario} --seed ${seed}`]
      : [
          `every accepted update ${isBuffered ? 'has one place in the order' : 'is in exactly one model'}, and all nodes hold the same bits`,
        ]),
  ]
}
