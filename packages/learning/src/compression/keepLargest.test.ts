import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepLargest } from './keepLargest.ts'
import { fromScale } from './scale16.ts'
import { testTensors } from './testTensors.ts'
import { twoLevels } from './twoLevels.ts'

/** The rule again, by sorting. */
function naive(values: Float32Array, keep: number): Float32Array {
  const sent = new Float32Array(values.length)
  for (let start = 0; start < values.length; start += 4096) {
    const places = Array.from(values.slice(start, start + 4096), (value, i) => ({ value, i, size: Math.abs(value) }))
    const kept = places
      .sort((a, b) => b.size - a.size || a.i - b.i)
      .slice(0, keep)
      .filter(({ size }) => size > 0)
    if (kept.length === 0) continue
    const { low, high, from } = twoLevels(Float32Array.from(kept, ({ size }) => size))
    for (const { i, value, size } of kept) {
      const level = fromScale(size >= from ? high : low)
      if (level > 0) sent[start + i] = Math.sign(value) * level
    }
  }
  return sent
}

test('of 3, −4, 1, 0, −1 the three largest are sent as 1 and ±3.5, and of the two ones the first [L-22]', () => {
  assert.deepEqual(keepLargest(Float32Array.of(3, -4, 1, 0, -1), 3), Float32Array.of(3.5, -3.5, 1, 0, 0))
})

for (const [name, values] of testTensors) {
  test(`equals sorting and cutting, for ${name} [L-22]`, () => {
    for (const keep of [1, 3, 64, 4096])
      assert.deepEqual(keepLargest(values, keep), naive(values, keep), `keep ${keep}`)
  })
}
