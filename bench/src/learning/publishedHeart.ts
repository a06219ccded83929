/**
 * FLamby's table for Fed-Heart-Disease beside ours: its split, scaling, starts, rates and numbers of steps, our own code for the rest.
 *
 * Its model gives one number through a sigmoid; ours gives two through softmax. With weights ±w/2 both are the same function, and
 * every step is the same when rates are halved and the proximal pull is doubled. Order of batches and the draws of Cyclic
 * cannot be had again: five seeds, as published.
 */
import { readFileSync } from 'node:fs'
import { createEngine, type Engine, type ModelConfig, modelOf, type TrainingRecipe, trainToEnd } from '@potluck/engine'
import {
  type FederatedOptions,
  federateToEnd,
  type LocalMethod,
  localTrainer,
  type OuterOptimizer,
  type Rows,
} from '@potluck/learning'
import { sha256, utf8 } from '@potluck/protocol'
import type { Row } from '../Row.ts'
import { type HeartTables, heartInputs, heartTables, hospitals } from './heartHospitals.ts'
import { mersenneTwister, torchLinearStart } from './mersenneTwister.ts'

export const heartSeeds = [42, 43, 44, 45, 46]
/** 486 rows over 4 hospitals in batches of 4 for 50 epochs, in rounds of 100 steps. */
export const heartRounds = 15
export const heartConfig: ModelConfig = { kind: 'logistic', inputs: heartInputs, classes: 2 }

const local = (rate: number): TrainingRecipe => ({
  ...{ steps: 100, batch: 4, optimizer: { kind: 'sgd' }, learningRate: rate / 2 },
})
const adaptive = (kind: 'adam' | 'yogi' | 'adagrad', rate: number): OuterOptimizer => ({
  ...{ kind, rate: rate / 2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
})

type Strategy = { readonly rate: number; readonly method?: LocalMethod; readonly outer?: OuterOptimizer }
/** Rates as in the published result files. */
const strategies: Readonly<Record<string, Strategy>> = {
  FedAvg100: { rate: 0.001 },
  FedProx100: { rate: 0.001, method: { kind: 'proximal', mu: 2 * 0.01 } },
  Scaffold100: { rate: 0.001, method: { kind: 'scaffold', share: 1 } },
  FedAdam100: { rate: 0.01, outer: adaptive('adam', 0.01) },
  FedYogi100: { rate: 0.003162, outer: adaptive('yogi', 0.01) },
  FedAdagrad100: { rate: 0.003162, outer: adaptive('adagrad', 0.316228) },
}

/** Which of our inputs FLamby's inputs are: there the levels of chest pain and ECG stand last. */
const publishedOrder = [0, 1, 5, 6, 7, 10, 11, 12, 2, 3, 4, 8, 9]

/** The published start of a seed as weights [inputs, 2] and two biases. */
export function heartStart(seed: number): Float32Array {
  const { weights, bias } = torchLinearStart(seed, heartInputs)
  const ours = new Array<number>(heartInputs)
  publishedOrder.forEach((input, i) => {
    ours[input] = weights[i]!
  })
  return Float32Array.from([...ours, bias].flatMap((w) => [-w / 2, w / 2]))
}

/** Accuracy at the four hospitals, each on its own scale, their mean, and on all test rows on the common scale. */
export type HeartAccuracy = { readonly sites: readonly number[]; readonly mean: number; readonly pooled: number }

export function heartAccuracy({ own, pooled }: HeartTables, parameters: Float32Array): HeartAccuracy {
  const sites = own.map(({ test }) => accuracyOn(test, parameters))
  return { sites, mean: meanOf(sites), pooled: accuracyOn(pooled.test, parameters) }
}

function accuracyOn({ inputs, targets }: Rows, parameters: Float32Array): number {
  let right = 0
  targets.forEach((label, row) => {
    let z = parameters[2 * heartInputs + 1]! - parameters[2 * heartInputs]!
    for (let j = 0; j < heartInputs; j++) {
      z += inputs[row * heartInputs + j]! * (parameters[2 * j + 1]! - parameters[2 * j]!)
    }
    if (z > 0 === (label === 1)) right++
  })
  return right / targets.length
}

export const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length
const seedOf = (what: string): Uint8Array => sha256(utf8(`published heart/${what}`))

export async function runStrategy(
  engine: Engine,
  tables: HeartTables,
  name: string,
  seed: number,
): Promise<Float32Array> {
  const { rate, method, outer } = strategies[name]!
  const options: FederatedOptions = {
    ...{ config: heartConfig, local: local(rate), rounds: heartRounds, initial: heartStart(seed) },
    clients: hospitals.map((id, i) => ({ id, data: tables.own[i]!.train })),
    seed: seedOf(`${name} ${seed}`),
    ...(method ? { method } : {}),
    ...(outer ? { outer } : {}),
  }
  return (await federateToEnd(engine, options)).parameters
}

/**
 * Cyclic weight transfer: a round is a visit to one hospital, in an order drawn anew for each turn of four.
 *
 * @param isHandedOn as the method says, each goes on from the model of the one before. In the published code each hospital trains a
 *   model of its own, and the first one's is tested.
 */
async function runCyclic(
  engine: Engine,
  tables: HeartTables,
  seed: number,
  isHandedOn: boolean,
): Promise<Float32Array> {
  const trainer = await localTrainer(engine, modelOf(heartConfig), local(0.01))
  const random = mersenneTwister(seed)
  let parameters = heartStart(seed)
  let order: number[] = []
  for (let visit = 0; visit < heartRounds; visit++) {
    if (order.length === 0) order = inRandomOrder(random)
    const site = order.pop()!
    if (!isHandedOn && site !== 0) continue
    const data = tables.own[site]!.train
    const { update } = await trainer.train({ base: parameters, data, seed: seedOf(`cyclic ${seed} ${visit}`) })
    parameters = parameters.map((value, i) => value - update[i]!)
  }
  return parameters
}

const inRandomOrder = (random: () => number): number[] =>
  hospitals
    .map((_, site) => ({ site, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ site }) => site)

/** 50 epochs of Adam on the rows of one place. */
async function runAlone(engine: Engine, data: Rows, seed: number): Promise<Float32Array> {
  const optimizer = { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const
  const steps = 50 * Math.ceil(data.targets.length / 4)
  const recipe: TrainingRecipe = { steps, batch: 4, optimizer, learningRate: 0.001 / 2 }
  const options = { config: heartConfig, recipe, data, seed: seedOf(`alone ${seed}`), parameters: heartStart(seed) }
  return (await trainToEnd(engine, options)).parameters
}

type Published = Record<string, { mean4: number; 'Pooled Test': { mean: number; sd: number } }>
type Run = (engine: Engine, tables: HeartTables, seed: number) => Promise<Float32Array>

/** The rows of the table; two have a second run, in the way of the published code. */
const runs = (name: string): Readonly<Record<string, Run>> => {
  if (name === 'Cyclic100') {
    return {
      [name]: (engine, tables, seed) => runCyclic(engine, tables, seed, true),
      [`${name}.notHandedOn`]: (engine, tables, seed) => runCyclic(engine, tables, seed, false),
    }
  }
  if (!(name in strategies)) return { [name]: (engine, tables, seed) => runAlone(engine, placeOf(tables, name), seed) }
  return { [name]: (engine, tables, seed) => runStrategy(engine, tables, name, seed) }
}

const placeOf = (tables: HeartTables, name: string): Rows =>
  name === 'Pooled Training' ? tables.pooled.train : tables.own[Number(name.slice(-1))]!.train

/** Mean of the four hospitals and pooled test for each row of the table, ours beside the published. */
export async function publishedHeart(): Promise<Row[]> {
  const engine = await createEngine()
  const tables = heartTables()
  const published: Published = JSON.parse(
    readFileSync(new URL('../../../data/heart/flamby-published-results.json', import.meta.url), 'utf8'),
  )
  const rows: Row[] = []
  for (const [name, { mean4, 'Pooled Test': pooled }] of Object.entries(published)) {
    for (const [label, run] of Object.entries(runs(name))) {
      const found: HeartAccuracy[] = []
      for (const seed of heartSeeds) found.push(heartAccuracy(tables, await run(engine, tables, seed)))
      const row = (what: string, value: number, rivalValue: number): Row => ({
        what: `heart.${label.replaceAll(' ', '')}.${what}`,
        ...{ value, unit: 'accuracy, measured, 5 seeds', rival: 'FLamby, its 5 seeds', rivalValue },
        ratio: value / rivalValue,
      })
      rows.push(row('mean', meanOf(found.map((one) => one.mean)), mean4))
      rows.push(row('pooled', meanOf(found.map((one) => one.pooled)), pooled.mean))
    }
  }
  return rows
}
