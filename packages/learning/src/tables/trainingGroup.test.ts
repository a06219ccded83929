import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256, utf8 } from '@potluck/protocol'
import {
  completeRound,
  contribute,
  retryRound,
  roundKeys,
  startTraining,
  type TrainingPlan,
} from './privateTraining.ts'
import type { TableRow } from './tableRow.ts'
import type { TableSchema } from './tableSchema.ts'
import { leastFor, leastOf, planOver } from './trainingGroup.ts'

const schema: TableSchema = {
  name: 'made up',
  missing: '?',
  columns: [
    { name: 'height', kind: 'number', min: 0, max: 200 },
    { name: 'ill', kind: 'label', max: 1, positiveAbove: 0 },
  ],
}
const members = ['a', 'b', 'c', 'd', 'e']
const plan: TrainingPlan = { job: 'job/1', members, schema, l2: 0.05, maxRounds: 2, leastMembers: 3 }
const noisy = (multiplier: number, dishonest: number): TrainingPlan => ({ ...plan, noise: { multiplier, dishonest } })

const secretOf = (name: string): Uint8Array => sha256(utf8(`secret of ${name}`))
const rowsOf = (name: string): TableRow[] =>
  Array.from({ length: 20 }, (_, i) => ({
    lineIndex: i,
    inputs: Float64Array.of(100 + 7 * i + name.charCodeAt(0)),
    label: i % 2 === 0 ? 1 : 0,
  }))

/** What the members of a group send in an attempt. */
function answers(of: TrainingPlan, state = startTraining(of), rowsFor = rowsOf): Map<string, BigUint64Array> {
  const keys = new Map(of.members.map((self) => [self, roundKeys(of, state, secretOf(self)).publicKey]))
  const answer = (self: string) => contribute(of, state, { self, secret: secretOf(self), rows: rowsFor(self) }, keys)
  return new Map(of.members.map((self) => [self, answer(self).masked]))
}

test('a plan says how few members will do: three, more than half of them, more than the dishonest [L-88]', () => {
  assert.deepEqual(
    [3, 4, 5, 6, 7].map((count) => leastFor(count, 0)),
    [3, 3, 3, 4, 4],
  )
  assert.equal(leastFor(5, 4), 5)
  assert.equal(leastOf(plan), 3)
  assert.equal(leastOf({ ...plan, leastMembers: undefined }), 5)
  for (const leastMembers of [3, 4, 5]) assert.doesNotThrow(() => startTraining({ ...plan, leastMembers }))
  for (const leastMembers of [2, 2.5, 6, Number.NaN]) {
    assert.throws(() => startTraining({ ...plan, leastMembers }), { code: 'BAD_PLAN', message: /expected 3 to 5/ })
  }
  const six = { ...plan, members: [...members, 'f'] }
  assert.throws(() => startTraining(six), { code: 'BAD_PLAN', message: /expected 4 to 6/ })
  assert.throws(() => startTraining(noisy(1, 3)), { code: 'BAD_PLAN', message: /expected 4 to 5/ })
})

test('a sum is over a group that the plan allows and over nobody else [L-11] [L-88]', () => {
  const over = planOver(plan, ['d', 'a', 'c'])
  assert.deepEqual(over.members, ['a', 'c', 'd'])
  const vectors = answers(over)
  assert.equal(completeRound(over, startTraining(over), vectors).round, 1)
  const withOther = new Map([...vectors, ['b', answers(plan).get('b') as BigUint64Array]])
  assert.throws(() => completeRound(over, startTraining(over), withOther), { code: 'MEMBER_MISSING' })
  assert.throws(() => planOver(plan, ['a', 'b']), { code: 'WRONG_GROUP', message: /3 members at least, got 2/ })
  assert.throws(() => planOver(plan, ['a', 'b', 'x']), { code: 'WRONG_GROUP', message: /x: not of this job's members/ })
  assert.throws(() => planOver(plan, ['a', 'b', 'b']), { code: 'BAD_GROUP' })
  assert.throws(() => planOver({ ...plan, leastMembers: undefined }, ['a', 'b', 'c', 'd']), { code: 'WRONG_GROUP' })
  assert.throws(() => planOver(noisy(1, 3), ['a', 'b', 'c']), { code: 'WRONG_GROUP', message: /4 members at least/ })
})

test('an attempt is answered under one group: the same keys for another are refused [L-12] [L-88]', () => {
  const state = startTraining(plan)
  const three = planOver(plan, ['a', 'b', 'c'])
  // A member that repeats another one's key as its own.
  const keyOf = (self: string): Uint8Array => roundKeys(plan, state, secretOf(self)).publicKey
  const keys = new Map(['a', 'b', 'c'].map((self) => [self, keyOf(self)]))
  const own = { self: 'a', secret: secretOf('a'), rows: rowsOf('a') }
  const sent = contribute(three, state, own, keys)
  const copied = new Map([
    ['a', keyOf('a')],
    ['b', keyOf('b')],
    ['d', keyOf('c')],
  ])
  const other = planOver(plan, ['a', 'b', 'd'])
  assert.throws(() => contribute(other, sent.state, own, copied), { code: 'UPDATE_ALREADY_SENT' })
  assert.deepEqual(contribute(three, sent.state, own, keys).masked, sent.masked)
})

test("sums over a group and over a part of it do not differ by one member's update: all of them are fresh [L-08] [L-88]", () => {
  const first = startTraining(plan)
  const again = retryRound(first)
  const [five, four] = [plan, planOver(plan, ['a', 'b', 'c', 'd'])]
  const countOf = (of: TrainingPlan, state = first): number => {
    const sum = completeRound(of, state, answers(of, state))
    return sum.scaling?.mean[0] ?? 0
  }
  const alone = rowsOf('e').reduce((sum, { inputs }) => sum + (inputs[0] as number), 0)
  // Twenty rows of each in the first attempt, eighteen in the second.
  const difference = 100 * countOf(five) - 72 * countOf(four, again)
  assert.ok(Math.abs(difference - alone) > 1)
  assert.ok(Math.abs(100 * countOf(five) - 80 * countOf(four) - alone) < 1e-3, 'with the same updates they would')
})

test('each member of a smaller group adds the larger part of the noise that this group needs [L-87] [L-88]', () => {
  const inputs = Array.from({ length: 60 }, (_, j) => ({ name: `x${j}`, kind: 'number' as const, min: 0, max: 300 }))
  const wide = { ...noisy(50, 1), schema: { ...schema, columns: [...inputs, ...schema.columns.slice(1)] } }
  const rows = rowsOf('a').map((row) => ({ ...row, inputs: new Float64Array(60).fill(row.inputs[0] as number) }))
  /** The noise in the first attempt's sum less that in the second's: the rows are the same. */
  const differences = (job: string, group: readonly string[]): number[] => {
    const over = planOver({ ...wide, job }, group)
    const [one, two] = [startTraining(over), retryRound(startTraining(over))].map((state) => {
      const vectors = [...answers(over, state, () => rows).values()]
      return vectors.reduce((sum, words) => sum.map((word, i) => word + (words[i] as bigint)))
    }) as [BigUint64Array, BigUint64Array]
    return [...one].slice(0, -1).map((word, i) => Number(BigInt.asIntN(64, word - (two[i] as bigint))) / 1_048_576)
  }
  // Members over honest ones: 5/4 with five, 3/2 with three.
  for (const group of [members, ['a', 'b', 'c']]) {
    const seen = ['1', '2', '3', '4', '5', '6'].flatMap((job) => differences(`job/${job}`, group))
    const deviation = Math.sqrt(seen.reduce((sum, x) => sum + x * x, 0) / seen.length / 2)
    const expected = 50 * Math.sqrt(group.length / (group.length - 1))
    assert.ok(Math.abs(deviation / expected - 1) < 0.1, `${group.length}: ${deviation}, expected ${expected}`)
  }
})
