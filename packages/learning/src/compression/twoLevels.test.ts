import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { fromScale } from './scale16.ts'
import { twoLevels } from './twoLevels.ts'

test('4, 3, 1, 1, 1 become levels 1 and 3.5 [L-22]', () => {
  const { low, high, from } = twoLevels(Float32Array.of(4, 3, 1, 1, 1))
  assert.deepEqual([fromScale(low), fromScale(high), from], [1, 3.5, 3])
})

test('equal magnitudes have one level', () => {
  const { low, high } = twoLevels(new Float32Array(7).fill(0.25))
  assert.deepEqual([fromScale(low), high], [0.25, low])
})

/** Least squared error over every pair of scales near the values, each value taking the nearer. */
function leastError(values: Float32Array, scales: number[]): number {
  const errorOf = (levels: number[]): number =>
    values.reduce((sum, x) => sum + Math.min(...levels.map((level) => (x - level) * (x - level))), 0)
  return Math.min(...scales.flatMap((a, i) => scales.slice(i).map((b) => errorOf([a, b]))))
}

test('no pair of scales has a smaller squared error [L-22]', () => {
  for (let draw = 0; draw < 20; draw++) {
    const random = new RandomStream(Uint8Array.of(draw), 99, 0)
    // Values from 1 to 1 + 31/256, so that 32 scales are all there are to try.
    const values = Float32Array.from({ length: 6 }, (_, i) => 1 + (random.uniform(i) * 31) / 256)
      .sort()
      .reverse()
    const { low, high } = twoLevels(values)
    const mine = leastError(values, [fromScale(low), fromScale(high)])
    const least = leastError(
      values,
      Array.from({ length: 32 }, (_, i) => 1 + i / 256),
    )
    assert.ok(mine <= least * (1 + 1e-9) + 1e-15, `draw ${draw}: ${mine} against ${least}`)
  }
})
