import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holdersNeeded, isQuorum } from './quorum.ts'

test('needs two thirds of what was committed, to the unit [L-70]', () => {
  assert.equal(isQuorum(2n, 3n), true)
  assert.equal(isQuorum(1n, 3n), false)
  assert.equal(isQuorum(66n, 100n), false)
  assert.equal(isQuorum(67n, 100n), true)
  const stake = 3_000_000_000_000_000_000_000_000n
  assert.equal(isQuorum((stake / 3n) * 2n, stake), true)
  assert.equal(isQuorum((stake / 3n) * 2n - 1n, stake), false)
})

test('has no quorum of nothing [L-70]', () => {
  assert.equal(isQuorum(0n, 0n), false)
  assert.equal(isQuorum(1n, 0n), false)
})

test('what enough keepers hold outnumbers its rival in every large enough group of lists [L-70]', () => {
  for (let keepers = 1; keepers <= 40; keepers++) {
    const needed = holdersNeeded(keepers)
    assert.ok(needed <= keepers)
    // In the worst group of lists all that hold nothing of it are there, and all that hold the rival.
    const fewest = needed - (keepers - needed)
    const rival = keepers - needed
    assert.ok(fewest > rival, `${needed} of ${keepers}`)
  }
  assert.deepEqual([1, 3, 4, 7, 16].map(holdersNeeded), [1, 3, 3, 5, 11])
})
