import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromScale, isScale, toScale, toScaleUp } from './scale16.ts'

test('a scale holds powers of two and sums of nine bits exactly', () => {
  for (const x of [0, 1, 1.5, 1.00390625, 65536, 1 / 1024, 511 / 256]) assert.equal(fromScale(toScale(x)), x)
})

test('a number between two scales becomes the nearer one, and the even one from the middle', () => {
  assert.equal(fromScale(toScale(1 + 0.4 / 256)), 1)
  assert.equal(fromScale(toScale(1 + 0.6 / 256)), 1 + 1 / 256)
  assert.equal(fromScale(toScale(1 + 0.5 / 256)), 1)
  assert.equal(fromScale(toScale(1 + 1.5 / 256)), 1 + 2 / 256)
  assert.equal(fromScale(toScale(2 - 1 / 4096)), 2)
})

test('rounding up never falls below the number', () => {
  for (const x of [0, 1, 1 + 1 / 4096, 2.7, 1e-40, 1e30]) {
    const up = fromScale(toScaleUp(x))
    assert.ok(up >= Math.fround(x) && up <= Math.fround(x) * (1 + 1 / 256) + 1e-40, `${x} became ${up}`)
  }
})

test('the whole range of f32 has scales, and no number becomes infinity', () => {
  assert.equal(toScale(1e-46), 0)
  assert.ok(fromScale(toScale(1e-39)) > 0)
  assert.equal(fromScale(toScale(3.4028234663852886e38)), fromScale(0xfeff))
  assert.equal(fromScale(toScaleUp(3.4028234663852886e38)), fromScale(0xfeff))
  assert.equal(isScale(0xfeff), true)
  assert.equal(isScale(0xff00), false)
  assert.equal(isScale(-1), false)
})
