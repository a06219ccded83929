import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256, utf8 } from '@potluck/protocol'
import { wordStream } from '../secureSum/wordStream.ts'
import { boundedNewtonVector, boundedStatistics, noisyScaling, noisyWords } from './noisySums.ts'
import {
  completeRound,
  contribute,
  finishedModel,
  retryRound,
  roundKeys,
  startTraining,
  type TrainingPlan,
  type TrainingState,
} from './privateTraining.ts'
import type { TableRow } from './tableRow.ts'
import type { TableSchema } from './tableSchema.ts'

const schema: TableSchema = {
  name: 'made up',
  missing: '?',
  columns: [
    { name: 'height', kind: 'number', min: 0, max: 200 },
    { name: 'mood', kind: 'category', levels: [0, 1] },
    { name: 'ill', kind: 'label', max: 1, positiveAbove: 0 },
  ],
}

const random = (seed: string): (() => number) => {
  const next = wordStream(sha256(utf8(seed)))
  return () => Number(next() >> 12n) / 4_503_599_627_370_496
}

/** The taller and the moodier, the likelier ill. */
function rowsOf(seed: string, count: number): TableRow[] {
  const draw = random(seed)
  return Array.from({ length: count }, (_, lineIndex) => {
    const [height, mood] = [60 + 80 * draw(), draw() < 0.4 ? 1 : 0]
    const label = draw() < 0.1 + 0.6 * ((height - 60) / 80) + 0.2 * mood ? 1 : 0
    return { lineIndex, inputs: Float64Array.of(height, mood), label }
  })
}

const lengthOf = (vector: Float64Array): number => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))
const secretOf = (name: string): Uint8Array => sha256(utf8(`secret of ${name}`))
const members = ['a', 'b', 'c']
const planOf = (multiplier: number, dishonest = 0): TrainingPlan => ({
  ...{ job: 'job/1', members, schema, l2: 0.05, maxRounds: 2 },
  noise: { multiplier, dishonest },
})

function train(plan: TrainingPlan, rows: (name: string) => readonly TableRow[]): TrainingState {
  let state = startTraining(plan)
  while (!state.isDone) {
    const now = state
    const keys = new Map(members.map((self) => [self, roundKeys(plan, now, secretOf(self)).publicKey]))
    const vectorOf = (self: string): BigUint64Array =>
      contribute(plan, now, { self, secret: secretOf(self), rows: rows(self) }, keys).masked
    state = completeRound(plan, now, new Map(members.map((self) => [self, vectorOf(self)])))
  }
  return state
}

test('one row changes a bounded sum by at most 1, however odd it is [L-87]', () => {
  const odd = [
    [0, 0],
    [200, 1],
    [1e9, 1],
    [-1e9, 0],
    [131, 0.5],
  ]
  const scaling = { mean: [100, 0.4], sd: [25, 0.5] }
  for (const [height, mood] of odd) {
    for (const label of [0, 1] as const) {
      const row = { lineIndex: 0, inputs: Float64Array.of(height!, mood!), label }
      assert.ok(lengthOf(boundedStatistics([row], schema)) <= 1 + 1e-12)
      for (const weights of [
        [0, 0, 0],
        [50, -3, 2],
      ])
        assert.ok(lengthOf(boundedNewtonVector([row], weights, scaling)) <= 1 + 1e-12)
    }
  }
})

test('the noise of all members together has the promised deviation, and that of the honest ones alone too [L-87]', () => {
  const [length, multiplier, dishonest] = [4_000, 3, 1]
  const format = { fractionBits: 20, members: members.length }
  const context = { job: 'job/1', round: 1, attempt: 1 }
  const noises = members.map((name) =>
    noisyWords(new Float64Array(length), { multiplier, dishonest }, format, context, secretOf(name)),
  )
  const deviationOf = (parts: readonly BigUint64Array[]): number => {
    const sums = Array.from({ length }, (_, i) =>
      Number(
        BigInt.asIntN(
          64,
          parts.reduce((sum, part) => sum + part[i]!, 0n),
        ),
      ),
    )
    return Math.sqrt(sums.reduce((sum, x) => sum + x * x, 0) / length) / 1_048_576
  }
  const honest = deviationOf(noises.slice(1))
  assert.ok(Math.abs(honest / multiplier - 1) < 0.05, `${honest}`)
  assert.ok(Math.abs(deviationOf(noises) / (multiplier * Math.sqrt(1.5)) - 1) < 0.05)
})

test('noise follows from secret, job, round and attempt: what is sent again is the same, another attempt is not [L-87]', () => {
  const plan = planOf(1)
  const state = startTraining(plan)
  const keys = new Map(members.map((self) => [self, roundKeys(plan, state, secretOf(self)).publicKey]))
  const own = { self: 'a', secret: secretOf('a'), rows: rowsOf('a', 30) }
  const first = contribute(plan, state, own, keys)
  assert.deepEqual(contribute(plan, first.state, own, keys).masked, first.masked)
  const again = retryRound(state)
  const fresh = new Map(members.map((self) => [self, roundKeys(plan, again, secretOf(self)).publicKey]))
  assert.notDeepEqual(contribute(plan, again, own, fresh).masked, first.masked)
  const format = { fractionBits: 20, members: 3 }
  const wordsOf = (attempt: number): BigUint64Array =>
    noisyWords(new Float64Array(3), plan.noise!, format, { job: 'job/1', round: 0, attempt }, secretOf('a'))
  assert.deepEqual(wordsOf(1), wordsOf(1))
  assert.notDeepEqual(wordsOf(1), wordsOf(2))
})

test('a training under noise learns what the rows say, and the less of it the more noise there is [L-87]', () => {
  const rows = (name: string): TableRow[] => rowsOf(name, 400)
  const clean = finishedModel({ ...planOf(1), noise: undefined }, train({ ...planOf(1), noise: undefined }, rows))
  const size = Math.abs(clean.weights[0]! / clean.scaling.sd[0]!)
  // Per unit of the raw inputs, since the scalings differ; the mean over jobs, each with noise of its own.
  const offBy = (multiplier: number): number => {
    const jobs = ['job/1', 'job/2', 'job/3', 'job/4'].map((job) => ({ ...planOf(multiplier), job }))
    const slopes = jobs
      .map((plan) => finishedModel(plan, train(plan, rows)))
      .map(({ weights, scaling }) => {
        return weights[0]! / scaling.sd[0]!
      })
    const off = slopes.map((slope) => Math.abs(slope - clean.weights[0]! / clean.scaling.sd[0]!))
    return off.reduce((sum, x) => sum + x, 0) / off.length / size
  }
  assert.ok(offBy(1) < 0.1, `${offBy(1)}`)
  assert.ok(offBy(300) > 0.3, `${offBy(300)}`)
})

test('a scaling stays sane when noise makes counts and variances absurd [L-87]', () => {
  const { mean, sd } = noisyScaling(Float64Array.of(-3, 50, -50, -9, 12), schema)
  for (const [j, value] of mean.entries()) assert.ok(value >= 0 && value <= [200, 1][j]!)
  assert.ok(sd.every((value) => value > 0 && Number.isFinite(value)))
})

test('masks that do not cancel are seen although the row count is noised [L-87]', () => {
  const plan = planOf(2)
  const state = startTraining(plan)
  const keys = new Map(members.map((self) => [self, roundKeys(plan, state, secretOf(self)).publicKey]))
  const vectors = new Map(
    members.map((self) => [
      self,
      contribute(plan, state, { self, secret: secretOf(self), rows: rowsOf(self, 9) }, keys).masked,
    ]),
  )
  assert.equal(completeRound(plan, state, vectors).round, 1)
  const spoiled = vectors.get('b')!
  spoiled[spoiled.length - 1]! += 5n
  assert.throws(() => completeRound(plan, state, vectors), { code: 'SUM_IS_NOISE' })
})

test('a plan whose noise nobody is bound to add is refused', () => {
  assert.throws(() => startTraining(planOf(1, 3)), { code: 'BAD_PLAN', message: /fewer dishonest than the 3 members/ })
  assert.throws(() => startTraining(planOf(0)), { code: 'BAD_PLAN' })
})
