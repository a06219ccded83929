import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { decodeFixed, encodeFixed } from './fixedPoint.ts'

const format = { fractionBits: 32, members: 4 }

test('keeps multiples of the unit exactly and rounds the rest to the nearest, of either sign [L-09]', () => {
  const unit = 1 / 4294967296
  const values = Float64Array.of(0, 1, -1, 123456.5, -unit, unit, 0.4 * unit, 0.6 * unit, -0.6 * unit)
  const back = decodeFixed(encodeFixed(values, format), format)
  assert.deepEqual([...back], [0, 1, -1, 123456.5, -unit, unit, 0, unit, -unit])
  assert.equal(encodeFixed(Float64Array.of(-1), format)[0], 0xffffffff00000000n)
})

test('sums as many of the largest values as there are members without wrapping [L-09]', () => {
  const largest = 536870912 - 1 / 1048576 // 2^63 / 4 members / 2^32, less a little
  for (const value of [largest, -largest]) {
    const word = encodeFixed(Float64Array.of(value), format)[0]!
    const sum = BigUint64Array.of(4n * word)
    assert.equal(decodeFixed(sum, format)[0], 4 * value)
  }
})

test('refuses a value without headroom for all members, and one that is not finite [L-09]', () => {
  for (const value of [536870912, -1073741824, 1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => encodeFixed(Float64Array.of(0, value), format),
      (error) => codeOf(error) === 'NO_HEADROOM',
      `${value}`,
    )
  }
  assert.throws(
    () => encodeFixed(Float64Array.of(1), { fractionBits: 60, members: 4 }),
    (error) => codeOf(error) === 'BAD_FIXED_POINT',
  )
})
