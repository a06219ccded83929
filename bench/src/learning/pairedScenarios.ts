/**
 * Two ways to run beside plain rounds, each on the same five seeds: clusters that exchange means, and workers that never wait. Times are
 * simulated, bytes are those of real messages, training is real.
 */
import { createLocalEngine } from '@potluck/runtime'
import { runScenario, type Scenario, type ScenarioReport } from '@potluck/sim/scenario'
import type { Row } from '../Row.ts'
import { bufferedInRounds, bufferedScenario } from './bufferedScenario.ts'
import { regionsScenario } from './regionsScenario.ts'

const seeds = [1, 2, 3, 4, 5]

export async function regionRows(): Promise<Row[]> {
  const scenario = regionsScenario()
  const [regional = [], flat = []] = await runEach([scenario, { ...scenario, aggregate: 'flat' }])
  const aRound = (report: ScenarioReport): number => betweenOf(report) / scenario.rounds
  const ofUpdates = (report: ScenarioReport): number =>
    aRound(report) - (report.bytesBetween.chunks ?? 0) / scenario.rounds
  const rival = 'one level'
  return [
    compared('regions.between', 'bytes of updates a round between regions', regional, flat, ofUpdates, rival),
    compared('regions.between.all', 'the same with the models that workers fetch', regional, flat, aRound, rival),
    compared('regions.loss', 'after five rounds', regional, flat, finalLoss, rival),
    gapOf('regions.loss.gap', regional, flat, finalLoss),
    row('regions.broken', brokenOf(regional, flat), 'findings'),
  ]
}

export async function bufferedRows(): Promise<Row[]> {
  const scenario = bufferedScenario()
  const inRounds = bufferedInRounds()
  const bySpeed: Scenario = { ...inRounds, pieces: 4, assign: 'speed' }
  const [free = [], equal = [], fair = []] = await runEach([scenario, inRounds, bySpeed])
  const utilisation = (report: ScenarioReport): number => report.utilisation
  const seconds = (report: ScenarioReport): number => report.simulatedMs / 1_000
  const steps = new Set([...free, ...equal, ...fair].map((report) => report.steps.counted))
  if (steps.size !== 1) throw new Error(`not equal work: ${[...steps].join(', ')} steps`)
  const work = `${[...steps][0]} steps in models`
  const speeds = 'workers of 1 to 6 steps/s, simulated'
  const rounds = 'rounds that wait for all'
  const shared = 'rounds, work by measured speed in quarters'
  return [
    compared('buffered.utilisation', `training ÷ time up, ${speeds}`, free, equal, utilisation, rounds, true),
    compared('buffered.utilisation.shared', 'the same beside the better rounds', free, fair, utilisation, shared, true),
    compared('buffered.seconds', `simulated, ${work}`, free, equal, seconds, rounds),
    compared('buffered.seconds.shared', 'the same beside the better rounds', free, fair, seconds, shared),
    compared('buffered.loss', `after ${work}`, free, equal, finalLoss, rounds),
    gapOf('buffered.loss.gap', free, equal, finalLoss),
    compared('buffered.loss.shared', 'the same beside the better rounds', free, fair, finalLoss, shared),
    gapOf('buffered.loss.shared.gap', free, fair, finalLoss),
    row('buffered.broken', brokenOf(free, equal, fair), 'findings'),
  ]
}

/** Each scenario on each seed; all reports of the first, then of the second, … */
async function runEach(scenarios: readonly Scenario[]): Promise<ScenarioReport[][]> {
  const engine = await createLocalEngine({ executor: 'auto', threads: 1 })
  try {
    const all: ScenarioReport[][] = []
    for (const scenario of scenarios) {
      const reports: ScenarioReport[] = []
      for (const seed of seeds) reports.push(await runScenario({ engine, scenario: { ...scenario, seed } }))
      all.push(reports)
    }
    return all
  } finally {
    await engine.close()
  }
}

type Reports = readonly ScenarioReport[]

const betweenOf = ({ bytesBetween }: ScenarioReport): number =>
  Object.values(bytesBetween).reduce((sum, bytes) => sum + bytes, 0)
const finalLoss = ({ rounds }: ScenarioReport): number => rounds.at(-1)?.loss ?? Number.NaN
const brokenOf = (...all: Reports[]): number => all.flat().reduce((sum, { broken }) => sum + broken.length, 0)
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const row = (what: string, value: number, unit: string): Row => ({
  ...{ what, value, unit, rival: null, rivalValue: null, ratio: null },
})

/** Means over the seeds. */
function compared(
  what: string,
  unit: string,
  own: Reports,
  others: Reports,
  look: (report: ScenarioReport) => number,
  rival: string,
  isMoreBetter = false,
): Row {
  const [value, rivalValue] = [meanOf(own.map(look)), meanOf(others.map(look))]
  const ratio = isMoreBetter ? value / rivalValue : rivalValue / value
  return { what, value, unit: `${unit}; mean of ${seeds.length} seeds`, rival, rivalValue, ratio }
}

/** The mean of the paired differences; its standard error stands in the unit. */
function gapOf(what: string, own: Reports, others: Reports, look: (report: ScenarioReport) => number): Row {
  const gaps = own.map((report, i) => look(report) - look(others[i] as ScenarioReport))
  const mean = meanOf(gaps)
  const error = Math.sqrt(meanOf(gaps.map((gap) => (gap - mean) ** 2)) / (gaps.length - 1))
  return row(what, mean, `the difference to it, paired; standard error ${error.toPrecision(2)}`)
}
