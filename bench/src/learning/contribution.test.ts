import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meanAndError, ranksOf, spearman } from './contributionRanks.ts'

test('equal values share the mean of their ranks', () => {
  assert.deepEqual(ranksOf([5, 1, 5, 9]), [2.5, 1, 2.5, 4])
})

test('rank correlation is 1 for one order, −1 for the opposite, and as worked by hand between', () => {
  assert.equal(spearman([1, 2, 3, 4], [10, 20, 21, 400]), 1)
  assert.equal(spearman([1, 2, 3, 4], [4, 3, 2, 1]), -1)
  // 1 − 6·Σd²/(n(n² − 1)) with d = 1, 1, 0, 0.
  assert.ok(Math.abs(spearman([1, 2, 3, 4], [2, 1, 3, 4]) - 0.8) < 1e-12)
  assert.equal(spearman([1, 1, 1], [1, 2, 3]), 0)
})

test('the standard error of a mean is the deviation over the root of the number', () => {
  const { mean, error } = meanAndError([1, 2, 3, 4])
  assert.equal(mean, 2.5)
  assert.ok(Math.abs(error - Math.sqrt(5 / 3 / 4)) < 1e-12)
})
