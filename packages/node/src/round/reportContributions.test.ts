import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MeasuredUpdate } from '@potluck/learning'
import { MOST_MICRO } from '@potluck/protocol'
import { reportContributions } from './reportContributions.ts'

const one = (share: number, value: number, more: Partial<MeasuredUpdate> = {}): MeasuredUpdate => ({
  ...{ share, value, alike: undefined, isEmpty: false },
  ...more,
})
const none = [false, false, false, false]

test('values are whole millionths; at most three times the lower median of the positive ones counts [P-58] [L-61]', () => {
  const told = reportContributions([one(0, 0.0100004), one(1, 0.02), one(3, 0.5), one(4, -0.3)], none)
  assert.deepEqual(told, [
    { valueMicro: 10_000, countedMicro: 10_000, finding: null },
    { valueMicro: 20_000, countedMicro: 20_000, finding: null },
    { valueMicro: 500_000, countedMicro: 60_000, finding: null },
    { valueMicro: -300_000, countedMicro: -300_000, finding: null },
  ])
  const [zero, huge] = reportContributions([one(0, -1e-9), one(1, -1e30)], none)
  assert.ok(Object.is(zero?.valueMicro, 0) && Object.is(zero?.countedMicro, 0))
  assert.equal(huge?.valueMicro, -MOST_MICRO)
})

test('of two that are alike the one that was recomputed is right and the other a copy, for which nothing counts [P-58]', () => {
  const pair = [one(2, 0.1, { alike: 5 }), one(5, 0.1, { alike: 2 }), one(6, 0.1)]
  assert.deepEqual(reportContributions(pair, [false, true, true]), [
    { valueMicro: 100_000, countedMicro: 0, finding: { kind: 'copy', share: 5 } },
    { valueMicro: 100_000, countedMicro: 100_000, finding: null },
    { valueMicro: 100_000, countedMicro: 100_000, finding: null },
  ])
  // Both right: it is chance.
  assert.deepEqual(
    reportContributions(pair, [true, true, false]).map(({ finding }) => finding),
    [null, null, null],
  )
  // Neither recomputed: nobody can say which is the copy, so it is told and counts.
  const open = reportContributions(pair, none)
  assert.deepEqual(open[0], { valueMicro: 100_000, countedMicro: 100_000, finding: { kind: 'alike', share: 5 } })
  assert.deepEqual(open[1]?.finding, { kind: 'alike', share: 2 })
})

test('for an empty update nothing positive counts, and what it added does [P-58]', () => {
  const told = reportContributions([one(0, 0.1, { isEmpty: true }), one(1, -0.1, { isEmpty: true })], none)
  assert.deepEqual(
    told.map(({ countedMicro, finding }) => [countedMicro, finding]),
    [
      [0, { kind: 'empty' }],
      [-100_000, { kind: 'empty' }],
    ],
  )
})
