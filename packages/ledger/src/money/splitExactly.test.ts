import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitExactly } from './splitExactly.ts'

test('gives the leftover units to the largest remainders, the earlier one on a tie [R-30]', () => {
  assert.deepEqual(splitExactly(10n, [1n, 1n, 1n]), [4n, 3n, 3n])
  // 7 * 5/9 = 3.88, 7 * 3/9 = 2.33, 7 * 1/9 = 0.77
  assert.deepEqual(splitExactly(7n, [5n, 3n, 1n]), [4n, 2n, 1n])
})

test('adds up to the unit for any weights, zeros included [R-30]', () => {
  let seed = 12_345n
  const next = (below: bigint) => {
    seed = (seed * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % (1n << 64n)
    return (seed >> 20n) % below
  }
  for (let i = 0; i < 500; i++) {
    const weights = Array.from({ length: Number(next(20n)) + 1 }, () => next(4n) * next(1n << 40n))
    const total = next(1n << 50n)
    const parts = splitExactly(total, weights)
    const sum = weights.reduce((a, b) => a + b, 0n)
    assert.equal(
      parts.reduce((a, b) => a + b, 0n),
      sum === 0n ? 0n : total,
    )
    for (const [j, part] of parts.entries()) {
      const exact = sum === 0n ? 0n : (total * (weights[j] ?? 0n)) / sum
      assert.ok(part === exact || part === exact + 1n)
      if (weights[j] === 0n) assert.equal(part, 0n)
    }
  }
})
