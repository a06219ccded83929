import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { adaptiveDeadlineMs, type DeadlinePolicy } from './adaptiveDeadline.ts'

const policy: DeadlinePolicy = { factor: 3, leastSlackMs: 0, leastMs: 100, mostMs: 60_000 }

test('is the lower median plus factor times the lower median deviation [L-67]', () => {
  // In order 800, 1,000, 1,100, 1,200, 9,000: deviations 300, 100, 0, 100, 7,900.
  assert.equal(adaptiveDeadlineMs([1_100, 9_000, 1_200, 800, 1_000], 0, policy), 1_100 + 3 * 100)
  assert.equal(adaptiveDeadlineMs([1_000, 2_000], 0, policy), 1_000)
  assert.equal(adaptiveDeadlineMs([10, 11, 14], 0, { ...policy, factor: 2.5, leastMs: 0 }), 11 + 3)
})

test('is not moved by a minority of any size of times, and stays within its bounds [L-67]', () => {
  const honest = [1_000, 1_010, 1_020, 1_030, 1_040]
  const before = adaptiveDeadlineMs(honest, 0, policy)
  for (const lie of [0, 50, 10_000, 59_999, Number.MAX_SAFE_INTEGER]) {
    const after = adaptiveDeadlineMs([...honest, lie, lie], 0, policy)
    assert.ok(after >= 1_000 && after <= 1_040 + 3 * 40, `${lie} moved ${before} to ${after}`)
  }
  assert.equal(adaptiveDeadlineMs([1, 2, 3], 0, policy), 100)
  assert.equal(adaptiveDeadlineMs([90_000, 90_000], 0, policy), 60_000)
})

test('grows to the most when half of the members miss it, so that a slow half is not shut out for ever [L-67]', () => {
  const fast = [1_000, 1_000, 1_000]
  assert.equal(adaptiveDeadlineMs(fast, 2, policy), 1_000)
  assert.equal(adaptiveDeadlineMs(fast, 4, policy), 60_000)
  assert.equal(adaptiveDeadlineMs([], 0, policy), 60_000)
})

test('leaves slack where all times are alike [L-67]', () => {
  assert.equal(adaptiveDeadlineMs([1_000, 1_000, 1_000], 0, { ...policy, leastSlackMs: 250 }), 1_250)
})

test('refuses times that are no whole milliseconds and bounds out of order', () => {
  const bad = (work: () => number): void =>
    assert.throws(work, (error) => codeOf(error) === 'BAD_DEADLINE' && /got|exceeds/.test((error as Error).message))
  bad(() => adaptiveDeadlineMs([1.5], 0, policy))
  bad(() => adaptiveDeadlineMs([-1], 0, policy))
  bad(() => adaptiveDeadlineMs([Number.NaN], 0, policy))
  bad(() => adaptiveDeadlineMs([1], 0, { ...policy, factor: Number.NaN }))
  bad(() => adaptiveDeadlineMs([1], 0, { ...policy, leastMs: 70_000 }))
})
