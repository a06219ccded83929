/**
 * Training on the heart tables through secure sums: local steps of logistic regression, row-weighted updates added up under masks, an
 * outer optimiser that moves the shared model. Beside it the same training on plain f64 sums over the same members.
 */
import { readFileSync } from 'node:fs'
import { exactExp64 } from '@potluck/engine'
import {
  type AddMasks,
  addRing,
  decodeRing,
  defaultMaskRounds,
  defaultTolerance,
  drawBelow,
  encodeRing,
  localStatistics,
  type OuterOptimizer,
  type OuterState,
  outerStep,
  parseHeartCsv,
  type RingFormat,
  type RingWords,
  ringWords,
  type Scaling,
  scalingFromSum,
  setUpSum,
  splitByLines,
  standardise,
  sumInMemory,
  type TableRow,
  wordStream,
} from '@potluck/learning'
import { sha256, toHex, utf8 } from '@potluck/protocol'
import { identitiesOf, nodeAgreement } from './secureNodeCrypto.ts'

const hospitals = ['cleveland', 'hungarian', 'switzerland', 'va']
const folder = new URL('../../../data/heart/', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8')

/** The recipe that the note beside the data measured for FedAvg: 30 rounds of 20 full-batch steps. */
const recipe = { rounds: 30, steps: 20, rate: 0.1, l2: 0.001 }

export const heartOptimizers: Readonly<Record<string, OuterOptimizer>> = {
  sgd: { kind: 'sgd', rate: 1 },
  nesterov: { kind: 'sgd', rate: 0.7, momentum: 0.5, nesterov: true },
  adam: { kind: 'adam', rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 0.001 },
  yogi: { kind: 'yogi', rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 0.001 },
  adagrad: { kind: 'adagrad', rate: 0.3, beta1: 0, beta2: 0, epsilon: 0.001 },
}

type Member = { readonly id: string; readonly rows: readonly TableRow[] }
export type HeartData = { readonly members: readonly Member[]; readonly tests: readonly (readonly TableRow[])[] }
export type HeartAccuracy = { readonly mean: number; readonly pooled: number }
export type HeartRun = {
  readonly masked: HeartAccuracy
  readonly float: HeartAccuracy
  /** Secure sums formed, and how many of them were the plain ring sum to the bit. */
  readonly sums: number
  readonly exact: number
}

/** FLamby's split; each hospital's training rows dealt out to `parts` members. */
export function heartData(parts: number): HeartData {
  const fixed: { hospitals: Record<string, { test: number[] }> } = JSON.parse(read('split.json'))
  const splits = hospitals.map((hospital) => {
    const file = `processed.${hospital}.data`
    return splitByLines(parseHeartCsv(read(file), { file }), fixed.hospitals[hospital]!.test)
  })
  const members = splits.flatMap(({ train }, h) =>
    Array.from({ length: parts }, (_, part) => ({
      id: `${hospitals[h]} ${part}`,
      rows: train.filter((_, i) => i % parts === part),
    })),
  )
  return { members, tests: splits.map(({ test }) => test) }
}

/** Trains twice, by masked and by plain sums. `gone` members, drawn anew each round, fall silent when their words are due. */
export function trainHeart(data: HeartData, how: OuterOptimizer, gone: number, addMasks: AddMasks): HeartRun {
  const ids = data.members.map(({ id }) => id)
  const { signerOf, verify } = identitiesOf(ids)
  const crypto = { agreement: nodeAgreement, verify, addMasks }
  const owners = ids.map((self) => ({
    self,
    secret: sha256(utf8(`secret of ${self}`)),
    approved: ids,
    sign: signerOf(self),
    ...crypto,
  }))
  let sums = 0
  let exact = 0
  const secureSum = (
    round: number,
    vectors: ReadonlyMap<string, Float64Array>,
    absent: string[],
    format: RingFormat,
  ) => {
    const words = new Map([...vectors].map(([id, values]): [string, RingWords] => [id, encodeRing(values, format)]))
    const length = vectors.get(ids[0]!)!.length
    const hash = (text: string) => toHex(sha256(utf8(`${text} ${round}`)))
    const setup = setUpSum({
      job: `heart ${JSON.stringify(how)}`,
      round,
      attempt: 1,
      base: hash('base'),
      members: ids,
      bits: format.bits,
      rounds: defaultMaskRounds,
      length,
      seed: hash('beacon'),
      ...defaultTolerance(ids.length),
    })
    const sum = sumInMemory(setup, owners, words, crypto, absent)
    const plain = ringWords(format.bits, length)
    for (const [id, one] of words) if (!absent.includes(id)) addRing(plain, one)
    sums += 1
    if (sum.every((word, i) => word === plain[i])) exact += 1
    return decodeRing(sum, format)
  }
  const plainSum = (vectors: ReadonlyMap<string, Float64Array>, absent: readonly string[]): Float64Array => {
    const total = new Float64Array(vectors.get(ids[0]!)!.length)
    for (const [id, vector] of vectors) {
      if (!absent.includes(id)) {
        for (const [i, value] of vector.entries()) total[i]! += value
      }
    }
    return total
  }

  const statistics = new Map(data.members.map(({ id, rows }) => [id, localStatistics(rows)]))
  const train = (isMasked: boolean): HeartAccuracy => {
    const add = (round: number, vectors: ReadonlyMap<string, Float64Array>, absent: string[], format: RingFormat) =>
      isMasked ? secureSum(round, vectors, absent, format) : plainSum(vectors, absent)
    const scaling = scalingFromSum(add(0, statistics, [], { bits: 64, fractionBits: 20, members: ids.length }))
    let base = new Float32Array(scaling.mean.length + 1)
    let state: OuterState | undefined
    for (let round = 1; round <= recipe.rounds; round++) {
      const next = wordStream(sha256(utf8(`gone in round ${round}`)))
      const absent = [...ids]
      while (absent.length > gone) absent.splice(drawBelow(next, absent.length), 1)
      const vectors = new Map(data.members.map(({ id, rows }) => [id, localUpdate(base, rows, scaling)]))
      const sum = add(round, vectors, absent, { bits: 32, fractionBits: 16, members: ids.length })
      const rows = sum[base.length]!
      const step = outerStep(
        how,
        base,
        Float32Array.from(base, (_, j) => sum[j]! / rows),
        state,
      )
      base = Float32Array.from(step.next)
      state = step.state
    }
    return accuracyOf(base, scaling, data.tests)
  }
  const masked = train(true)
  return { masked, float: train(false), sums, exact }
}

/** Rows times (base minus the weights after local full-batch steps), then the rows: what a member adds to the sum. */
function localUpdate(base: Float32Array, rows: readonly TableRow[], scaling: Scaling): Float64Array {
  const n = base.length
  const points = rows.map(({ inputs }) => {
    const x = new Float64Array(n)
    standardise(inputs, scaling, x)
    return x
  })
  const weights = Float64Array.from(base)
  for (let step = 0; step < recipe.steps; step++) {
    const gradient = weights.map((w, j) => (j < n - 1 ? recipe.l2 * w : 0))
    points.forEach((x, i) => {
      const error = (probability(x, weights) - rows[i]!.label) / rows.length
      for (let j = 0; j < n; j++) gradient[j]! += error * x[j]!
    })
    for (let j = 0; j < n; j++) weights[j]! -= recipe.rate * gradient[j]!
  }
  const out = new Float64Array(n + 1)
  for (let j = 0; j < n; j++) out[j] = rows.length * (base[j]! - weights[j]!)
  out[n] = rows.length
  return out
}

function probability(x: Float64Array, weights: ArrayLike<number>): number {
  let z = 0
  for (let j = 0; j < x.length; j++) z += x[j]! * weights[j]!
  return 1 / (1 + exactExp64(-z))
}

function accuracyOf(weights: Float32Array, scaling: Scaling, tests: readonly (readonly TableRow[])[]): HeartAccuracy {
  const x = new Float64Array(weights.length)
  const isRight = ({ inputs, label }: TableRow): boolean => {
    standardise(inputs, scaling, x)
    return probability(x, weights) > 0.5 === (label === 1)
  }
  const right = tests.map((rows) => rows.filter(isRight).length)
  const total = tests.reduce((sum, rows) => sum + rows.length, 0)
  return {
    mean: right.reduce((sum, count, i) => sum + count / tests[i]!.length, 0) / tests.length,
    pooled: right.reduce((sum, count) => sum + count, 0) / total,
  }
}
