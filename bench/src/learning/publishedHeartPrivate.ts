/**
 * FLamby's example of DP-SGD on Fed-Heart-Disease beside ours: FedAvg at rate 0.001, gradients of rows clipped to 1.1, δ = 1e-4.
 *
 * There each hospital's noise is chosen for 15 epochs, a round being taken for an epoch, but a round makes 100 steps of 4 rows: at the
 * smallest hospital 1,500 steps where 120 were counted. Its library, to our knowledge, divides a batch's sum by the expected batch rounded down (3
 * for 3.98), so steps are a third longer. `published` does both, to compare accuracy, and says which ε was really spent;
 * `honest` chooses the noise for the steps made and divides by the expected batch. The published starts are not known: 12 starts
 * here, 5 there.
 */
import { createEngine, type Engine } from '@potluck/engine'
import {
  noiseForBudget,
  pldEpsilon,
  type RowGradients,
  rowGradients,
  trainWithNoise,
  wordStream,
} from '@potluck/learning'
import { sha256, utf8 } from '@potluck/protocol'
import type { Row } from '../Row.ts'
import { type HeartTables, heartTables, hospitals } from './heartHospitals.ts'
import { heartAccuracy, heartConfig, heartRounds, heartStart, meanOf, runStrategy } from './publishedHeart.ts'

const STEPS = 100
const BATCH = 4
const DELTA = 1e-4
/** 1.1 for a model of one output; gradients of ours, ±w/2, are √2 as long, and its rate is half. */
const CLIP = 1.1 * Math.sqrt(2)
const RATE = 0.001 / 2
const starts = Array.from({ length: 12 }, (_, i) => 42 + i)
/** ε, and the published mean accuracy over the hospitals. */
const published = [
  { epsilon: 5, accuracy: 0.704 },
  { epsilon: 1, accuracy: 0.685 },
  { epsilon: 0.1, accuracy: 0.606 },
]
const WITHOUT_NOISE = 0.712

/** The noise of each hospital, and the ε it really gives over all rounds. */
function noises(tables: HeartTables, epsilon: number, way: 'published' | 'honest'): { noise: number; spent: number }[] {
  return tables.own.map(({ train }) => {
    const rows = train.targets.length
    const batches = Math.ceil(rows / BATCH)
    const steps = way === 'published' ? heartRounds * batches : heartRounds * STEPS
    const noise = noiseForBudget({ epsilon, delta: DELTA, rate: 1 / batches, steps }, 'rdp')
    return { noise, spent: pldEpsilon([{ noise, rate: 1 / batches, steps: heartRounds * STEPS }], DELTA) }
  })
}

type Private = { readonly noise: readonly number[]; readonly way: 'published' | 'honest'; readonly name: string }

async function runPrivate(
  engine: Engine,
  gradients: RowGradients,
  tables: HeartTables,
  { noise, way, name }: Private,
  seed: number,
): Promise<number> {
  let parameters = heartStart(seed)
  const total = tables.pooled.train.targets.length
  for (let round = 0; round < heartRounds; round++) {
    const sum = new Float64Array(parameters.length)
    for (const [site, { train: data }] of tables.own.entries()) {
      const rows = data.targets.length
      const batch = rows / Math.ceil(rows / BATCH)
      const learningRate = way === 'published' ? (RATE * batch) / Math.floor(batch) : RATE
      const recipe = { steps: STEPS, batch, learningRate, clip: CLIP, noise: noise[site]! }
      const words = wordStream(sha256(utf8(`published private/${name}/${seed}/${round}/${hospitals[site]}`)))
      const options = { config: heartConfig, recipe, data, parameters, words, gradients }
      const trained = await trainWithNoise(engine, options)
      trained.parameters.forEach((value, i) => {
        sum[i]! += (value * rows) / total
      })
    }
    parameters = Float32Array.from(sum)
  }
  return heartAccuracy(tables, parameters).mean
}

/** Accuracy with the published noise beside the published one, what that noise really costs, and accuracy with the noise it takes. */
export async function publishedHeartPrivate(): Promise<Row[]> {
  const engine = await createEngine()
  const tables = heartTables()
  const gradients = await rowGradients(engine, heartConfig)
  const rows: Row[] = []
  const over = async (run: (seed: number) => Promise<number>): Promise<number[]> => {
    const found: number[] = []
    for (const seed of starts) found.push(await run(seed))
    return found
  }
  const accuracy = async (setting: Private): Promise<number> =>
    meanOf(await over((seed) => runPrivate(engine, gradients, tables, setting, seed)))
  const rival = 'FLamby, dp_example, its 5 seeds'
  const row = (what: string, value: number, unit: string, rivalValue: number | null): Row => ({
    what: `heart.private.${what}`,
    ...{ value, unit, rival: rivalValue === null ? null : rival, rivalValue },
    ratio: rivalValue === null ? null : value / rivalValue,
  })
  const unit = `accuracy, measured, ${starts.length} starts`
  const plain = await over(
    async (seed) => heartAccuracy(tables, await runStrategy(engine, tables, 'FedAvg100', seed)).mean,
  )
  const mean = meanOf(plain)
  rows.push(row('none.mean', mean, unit, WITHOUT_NOISE))
  const square = plain.reduce((sum, x) => sum + (x - mean) * (x - mean), 0)
  rows.push(row('none.sd', Math.sqrt(square / (plain.length - 1)), `of ${unit}`, null))
  // The least noise that is allowed stands for none: at this rate it moves no weight in its third digit.
  const clipped = { noise: [0.05, 0.05, 0.05, 0.05], way: 'published', name: 'clipped' } as const
  rows.push(row('clippedOnly.mean', await accuracy(clipped), unit, null))
  for (const { epsilon, accuracy: there } of published) {
    for (const way of ['published', 'honest'] as const) {
      const each = noises(tables, epsilon, way)
      const name = `eps${epsilon}.${way}`
      const ours = await accuracy({ noise: each.map(({ noise }) => noise), way, name })
      rows.push(row(`${name}.mean`, ours, unit, way === 'published' ? there : null))
      rows.push(
        row(`${name}.spent`, Math.max(...each.map(({ spent }) => spent)), 'ε, the most of any hospital', epsilon),
      )
    }
  }
  return rows
}
