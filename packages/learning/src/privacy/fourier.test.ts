import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fourier, inverseFourier } from './fourier.ts'

/** Numbers in [0, 1) that follow no pattern, the same on every run. */
const noise = (seed: number, length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => (((i + seed) * 2_654_435_761) % 4_294_967_296) / 4_294_967_296)

test('an impulse gives a wave, a wave an impulse', () => {
  const n = 16
  const x = { re: new Float64Array(n), im: new Float64Array(n) }
  x.re[1] = 1
  fourier(x)
  const eighth = Math.sqrt(0.5)
  assert.deepEqual([x.re[0], x.im[0]], [1, 0])
  assert.ok(Math.abs(x.re[2]! - eighth) < 3e-16 && Math.abs(x.im[2]! + eighth) < 3e-16)
  assert.ok(Math.abs(x.re[4]!) < 1e-16 && x.im[4] === -1)
  inverseFourier(x)
  x.re.forEach((value, i) => {
    assert.ok(Math.abs(value - (i === 1 ? 1 : 0)) < 1e-15)
  })
})

test('circular convolution equals the sum over pairs', () => {
  for (const n of [2, 4, 64, 256]) {
    const [a, b] = [noise(1, n), noise(77, n)]
    const x = { re: a.slice(), im: new Float64Array(n) }
    const y = { re: b.slice(), im: new Float64Array(n) }
    fourier(x)
    fourier(y)
    const product = {
      re: x.re.map((value, k) => value * y.re[k]! - x.im[k]! * y.im[k]!),
      im: x.re.map((value, k) => value * y.im[k]! + x.im[k]! * y.re[k]!),
    }
    inverseFourier(product)
    for (let i = 0; i < n; i++) {
      let sum = 0
      for (let j = 0; j < n; j++) sum += a[j]! * b[(i - j + n) % n]!
      assert.ok(Math.abs(product.re[i]! - sum) < 1e-12 && Math.abs(product.im[i]!) < 1e-12)
    }
  }
})

test('there and back loses no more than the last digits, at a million numbers too', () => {
  const n = 1 << 20
  const x = { re: noise(5, n), im: noise(9, n) }
  const before = x.re.slice()
  fourier(x)
  inverseFourier(x)
  let worst = 0
  for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(x.re[i]! - before[i]!))
  assert.ok(worst < 1e-14, `off by ${worst}`)
})
