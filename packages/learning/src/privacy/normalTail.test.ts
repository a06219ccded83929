import assert from 'node:assert/strict'
import { test } from 'node:test'
import { erfc, logErfc, normalBetween, normalTail } from './normalTail.ts'

// Values by mpmath at 40 digits, rounded.
const values: readonly (readonly [number, number, number])[] = [
  [-5, 1.9999999999984626, 0.6931471805591766],
  [-1, 1.8427007929497148, 0.6112323176780705],
  [-0.25, 1.276326390168237, 0.24398594388138442],
  [0.0001, 0.9998871620836666, -0.00011284428301004563],
  [0.5, 0.4795001221869535, -0.7350111298370844],
  [0.999, 0.15771472979350307, -1.8469673854846986],
  [1, 0.15729920705028513, -1.8496055099332482],
  [1.001, 0.15688451452192373, -1.85224532059629],
  [1.7, 0.01620954140922544, -4.122155234243904],
  [3, 2.209049699858544e-5, -10.720363041981113],
  [7, 4.183825607779414e-23, -51.528231093710154],
  [15, 7.212994172451207e-100, -228.28262515380638],
  [25, 8.300172571196523e-274, -628.7920391740716],
  [100, 0, -10005.177585122665],
]

test('erfc and its logarithm agree with published digits on both sides of the seam and far out [L-53]', () => {
  for (const [x, value, log] of values) {
    assert.ok(Math.abs(logErfc(x) - log) <= 3e-15 + x * x * 1.2e-16 + 4e-16 * Math.abs(log), `ln erfc(${x})`)
    if (x < 26) assert.ok(Math.abs(erfc(x) / value - 1) <= 4e-15 + x * x * 2.5e-16, `erfc(${x}) is ${erfc(x)}`)
  }
})

test('erfc falls, and meets itself where series and fraction change over', () => {
  for (let x = 0.9; x < 1.1; x += 0.001) assert.ok(erfc(x + 0.001) < erfc(x))
  assert.ok(Math.abs(erfc(1 - 1e-13) / erfc(1) - 1) < 1e-12)
})

test('probabilities between two points keep their digits in either tail', () => {
  assert.equal(normalTail(0), 0.5)
  assert.equal(normalBetween(8, 9), normalBetween(-9, -8))
  assert.ok(normalBetween(8, 9) > 6e-16)
  assert.equal(normalBetween(1, 1), 0)
  assert.ok(Math.abs(normalBetween(-1.959963984540054, 1.959963984540054) - 0.95) < 1e-15)
})
