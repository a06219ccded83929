import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSameBits } from '../../test/assertSameBits.ts'
import { sampleValues } from '../../test/sampleValues.ts'
import { isNativeAvailable, nativeLevels } from './createNativeEngine.ts'
import { createNativeUpdateKernels } from './createNativeUpdateKernels.ts'

const skip = isNativeAvailable() ? false : 'the native executor is not built on this machine'
const round = Math.fround

/** Eight strided partials and their tree, number by number (E-11). */
function strided(a: Float32Array, b: Float32Array): number {
  const p = new Float32Array(8)
  for (let k = 0; k < a.length; k++) p[k % 8] = p[k % 8]! + round(a[k]! * b[k]!)
  for (const apart of [4, 2, 1]) for (let i = 0; i < apart; i++) p[i] = p[i]! + p[i + apart]!
  return p[0]!
}

test('passes over updates have the bits of a loop, at every level and number of threads [E-11] [E-12]', {
  skip,
}, () => {
  for (const level of nativeLevels()) {
    for (const threads of [1, 2, 3]) {
      const kernels = createNativeUpdateKernels({ level, threads })
      // Lengths around a block of 8,192 columns and a vector; counts around the groups of 1, 2, 4 and 8.
      for (const [length, count] of [
        [1, 1],
        [7, 3],
        [8, 8],
        [2047, 5],
        [2048, 26],
        [8191, 9],
        [9001, 17],
      ] as const) {
        const updates = Array.from({ length: count }, (_, i) => sampleValues(length, i + 1))
        // A view that begins in the middle of its buffer is no worse.
        updates[0] = new Float32Array([0, ...updates[0]!]).subarray(1)
        const reference = sampleValues(length, 99)
        const what = `${count} of ${length}, ${level}, ${threads} threads`
        const [squares, dots] = [new Float32Array(count), new Float32Array(count)]
        kernels.measure(updates, reference, squares, dots)
        assertSameBits(
          squares,
          Float32Array.from(updates, (x) => strided(x, x)),
          `squares, ${what}`,
        )
        assertSameBits(
          dots,
          Float32Array.from(updates, (x) => strided(x, reference)),
          `dots, ${what}`,
        )
        const factors = Float32Array.from({ length: count }, (_, i) => 1 / (i + 3))
        const moved = reference.slice()
        kernels.add(updates, factors, moved)
        const expected = reference.map((sum, j) =>
          updates.reduce((sum, x, i) => round(sum + round(x[j]! * factors[i]!)), sum),
        )
        assertSameBits(moved, expected, `moved, ${what}`)
      }
      kernels.close()
    }
  }
})

test('passes refuse lengths that differ, and work after the end', { skip }, () => {
  const kernels = createNativeUpdateKernels()
  const [three, one] = [new Float32Array(3), new Float32Array(1)]
  assert.throws(() => kernels.measure([three], new Float32Array(4), one, one), { code: 'SHAPE' })
  assert.throws(() => kernels.measure([three], three, one, new Float32Array(2)), { code: 'SHAPE' })
  assert.throws(() => kernels.add([three, new Float32Array(2)], new Float32Array(2), three), { code: 'SHAPE' })
  assert.throws(() => kernels.add([three], new Float32Array(2), three), { code: 'SHAPE' })
  kernels.measure([], three, new Float32Array(0), new Float32Array(0))
  kernels.close()
  assert.throws(() => kernels.add([three], one, three), { code: 'CLOSED' })
  assert.throws(() => createNativeUpdateKernels({ level: 'abacus' }), { code: 'BAD_OPTION' })
})
