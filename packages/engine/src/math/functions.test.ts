import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cosCoefficients,
  erfCoefficients,
  erfcCoefficients,
  expCoefficients,
  halfPi1,
  halfPi2,
  halfPi3,
  halfPi4,
  logCoefficients,
  sinCoefficients,
  tanhCoefficients,
} from './constants.ts'
import { exactCos } from './cos.ts'
import { exactErf } from './erf.ts'
import { exactExp } from './exp.ts'
import { exactExp64 } from './exp64.ts'
import { exactLog } from './log.ts'
import { exactLog64 } from './log64.ts'
import { exactSin } from './sin.ts'
import { exactTanh } from './tanh.ts'

/** Distance of `seen` from `truth` in units of the last f32 place at `truth`. */
function units(seen: number, truth: number): number {
  // biome-ignore lint/plugin: measures, is not measured
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(truth))), -126)
  // biome-ignore lint/plugin: exact power of two
  return Math.abs(seen - truth) / 2 ** (exponent - 23)
}

function worst(
  from: number,
  to: number,
  steps: number,
  f: (x: number) => number,
  truth: (x: number) => number,
): number {
  let most = 0
  for (let i = 0; i <= steps; i++) {
    const x = Math.fround(from + ((to - from) * i) / steps)
    const expected = truth(x)
    if (expected !== 0) most = Math.max(most, units(f(x), expected))
  }
  return most
}

test('exp is within 1 unit in the last place over its whole range [E-06]', () => {
  assert.ok(worst(-87.3, 88.72, 200_000, exactExp, exactExp64) <= 1)
  assert.ok(worst(-0.01, 0.01, 20_000, exactExp, exactExp64) <= 1)
})

test('exp ends in zero, infinity and NaN where the rule says [E-06]', () => {
  assert.equal(exactExp(-87.33655), 0)
  assert.ok(exactExp(-87.33653) > 0)
  assert.equal(exactExp(88.7229), Number.POSITIVE_INFINITY)
  assert.ok(Number.isFinite(exactExp(88.7228)))
  assert.equal(exactExp(Number.NEGATIVE_INFINITY), 0)
  assert.equal(exactExp(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY)
  assert.equal(exactExp(0), 1)
  assert.ok(Number.isNaN(exactExp(Number.NaN)))
})

test('log is within 2 units in the last place, subnormals included [E-07]', () => {
  assert.ok(worst(0.4, 3, 200_000, exactLog, exactLog64) <= 2)
  assert.ok(worst(1e-30, 1e30, 100_000, exactLog, exactLog64) <= 2)
  assert.ok(worst(1e-44, 1e-38, 50_000, exactLog, exactLog64) <= 2)
})

test('log of zero, infinity, a negative number and NaN [E-07]', () => {
  assert.equal(exactLog(0), Number.NEGATIVE_INFINITY)
  assert.equal(exactLog(-0), Number.NEGATIVE_INFINITY)
  assert.equal(exactLog(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY)
  assert.equal(exactLog(1), 0)
  assert.ok(Number.isNaN(exactLog(-1)))
  assert.ok(Number.isNaN(exactLog(Number.NaN)))
})

test('tanh is within 2 units in the last place and odd [E-08]', () => {
  const truth = (x: number): number => 1 - 2 / (exactExp64(2 * x) + 1)
  assert.ok(worst(0.1, 10, 200_000, exactTanh, truth) <= 2)
  assert.ok(worst(0.0001, 0.7, 50_000, exactTanh, Math.tanh) <= 2)
  for (const x of [1e-40, 0.3, 0.625, 2, 50]) assert.equal(exactTanh(-x), -exactTanh(x))
  assert.equal(exactTanh(Number.POSITIVE_INFINITY), 1)
  assert.ok(Object.is(exactTanh(-0), 0), 'the sum −0 + +0 is +0')
})

/** erf by its series of positive terms, and its complement by a continued fraction, to some 1e-15. */
function erfTruth(x: number): number {
  if (Math.abs(x) > 3) return Math.sign(x) * (1 - erfcTruth(Math.abs(x)))
  let term = 1
  let sum = 1
  for (let n = 1; n < 120; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * x * exactExp64(-x * x) * sum
}

function erfcTruth(x: number): number {
  let fraction = 0
  for (let k = 200; k >= 1; k--) fraction = k / 2 / (x + fraction)
  return exactExp64(-x * x) / Math.sqrt(Math.PI) / (x + fraction)
}

test('sin and cos are within 3 units in the last place up to 12,800, multiples of a quarter turn included [E-21]', () => {
  const [sine, cosine] = [Math.sin, Math.cos]
  for (const [from, to, steps] of [
    [-1, 1, 50_000],
    [0, 100, 200_000],
    [-12_800, 12_800, 300_000],
  ] as const) {
    assert.ok(worst(from, to, steps, exactSin, sine) <= 3)
    assert.ok(worst(from, to, steps, exactCos, cosine) <= 3)
  }
  let most = 0
  for (let n = 1; n <= 8148; n++) {
    const x = Math.fround((n * Math.PI) / 2)
    most = Math.max(most, units(exactSin(x), sine(x)), units(exactCos(x), cosine(x)))
  }
  assert.ok(most <= 3, `${most} units`)
})

test('sin and cos at zero, beyond the range and at infinity [E-21]', () => {
  assert.ok(Object.is(exactSin(-0), 0))
  assert.equal(exactCos(0), 1)
  for (const x of [0.3, 1, 2, 4, 1000]) {
    assert.equal(exactSin(-x), -exactSin(x))
    assert.equal(exactCos(-x), exactCos(x))
  }
  for (const x of [1e5, 1e9, -3e20, 3.4e38]) assert.ok(Math.abs(exactSin(x)) <= 1 && Math.abs(exactCos(x)) <= 1)
  for (const x of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
    assert.ok(Number.isNaN(exactSin(x)) && Number.isNaN(exactCos(x)))
  }
})

test('the parts of π/2 have 11 bits each and sum to π/2 [E-21]', () => {
  for (const part of [halfPi1, halfPi2, halfPi3]) {
    // biome-ignore lint/plugin: exact power of two
    const unit = 2 ** (Math.floor(Math.log2(part)) - 10)
    assert.ok(Number.isInteger(part / unit))
  }
  // π/2 as an f64 leaves out 6.1e-17; the four parts together do not.
  assert.ok(Math.abs(halfPi1 - Math.PI / 2 + halfPi2 + halfPi3 + halfPi4) < 1e-16)
})

test('erf is within 2 units in the last place, odd, and ends in 1 [E-22]', () => {
  assert.ok(worst(-1, 1, 100_000, exactErf, erfTruth) <= 2)
  assert.ok(worst(1, 4.5, 200_000, exactErf, erfTruth) <= 2)
  assert.ok(worst(1e-40, 1e-36, 1000, exactErf, erfTruth) <= 2)
  for (const x of [1e-40, 0.3, 1, 2, 50]) assert.equal(exactErf(-x), -exactErf(x))
  assert.equal(exactErf(Number.POSITIVE_INFINITY), 1)
  assert.equal(exactErf(4), 1)
  assert.ok(Object.is(exactErf(-0), -0))
  assert.ok(Number.isNaN(exactErf(Number.NaN)))
})

test('exp and log in f64 agree with the platform to a few parts in 10^16 [E-09]', () => {
  for (let i = -7000; i <= 7000; i++) {
    const x = i / 10.07
    // biome-ignore lint/plugin: compared with, not part of a result
    const truth = Math.exp(x)
    assert.ok(Math.abs(exactExp64(x) / truth - 1) < 1e-15, `exp ${x}`)
    assert.ok(Math.abs(exactLog64(truth) - x) <= 1e-15 * Math.abs(x) + 1e-15, `log ${truth}`)
  }
  assert.equal(exactExp64(0), 1)
  assert.equal(exactLog64(1), 0)
  assert.equal(exactLog64(0), Number.NEGATIVE_INFINITY)
  assert.ok(Math.abs(exactLog64(5e-324) + 744.4400719213812) < 1e-12)
})

test('the coefficients are the Chebyshev fits rounded to f32 [E-06] [E-07] [E-08] [E-21] [E-22]', () => {
  const half = (Math.LN2 / 2) * 1.001
  const series = (x: number, term: (k: number) => number): number => {
    let sum = 0
    for (let k = 30; k >= 0; k--) sum = sum * x + term(k)
    return sum
  }
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))
  const slope = (z: number): number => {
    const x = Math.sqrt(z)
    // biome-ignore lint/plugin: the function to be fitted
    return (Math.tanh(x) / x - 1) / z
  }
  assertNear(
    expCoefficients,
    chebyshevFit((r) => series(r, (k) => 1 / factorial(k + 2)), -half, half, 5),
  )
  assertNear(
    logCoefficients,
    chebyshevFit((z) => series(z, (k) => 1 / (2 * k + 3)), 0, 0.02944 * 1.001, 4),
  )
  assertNear(tanhCoefficients, chebyshevFit(slope, 0, 0.390625, 6))
  const sign = (k: number): number => (k % 2 === 0 ? 1 : -1)
  const quarter = (Math.PI / 4) * 1.001
  const sine = (z: number): number => series(z, (k) => -sign(k) / factorial(2 * k + 3))
  const cosine = (z: number): number => series(z, (k) => sign(k) / factorial(2 * k + 4))
  assertNear(sinCoefficients, chebyshevFit(sine, 0, quarter * quarter, 3))
  assertNear(cosCoefficients, chebyshevFit(cosine, 0, quarter * quarter, 3))
  const near = (z: number): number =>
    series(z, (k) => (sign(k) * 2) / Math.sqrt(Math.PI) / (factorial(k) * (2 * k + 1))) - 1
  assertNear(erfCoefficients, chebyshevFit(near, 0, 1, 7))
  assertNear(
    erfcCoefficients,
    chebyshevFit((t) => -exactLog64(erfcTruth(1 + t)), 0, 1.8, 7),
  )
})

/** Equal up to the noise of the platform's cosine and tanh. */
function assertNear(seen: readonly number[], derived: readonly number[]): void {
  seen.forEach((value, i) => {
    assert.equal(value, Math.fround(value))
    assert.ok(Math.abs(value / derived[i]! - 1) < 2e-7, `coefficient ${i}: ${value}, derived ${derived[i]}`)
  })
}

/** Interpolation at the Chebyshev points by divided differences, as coefficients of 1, x, x², … */
function chebyshevFit(f: (x: number) => number, from: number, to: number, count: number): number[] {
  const points = Array.from({ length: count }, (_, i) => {
    const angle = (Math.PI * (2 * i + 1)) / (2 * count)
    // biome-ignore lint/plugin: places points only
    return (from + to) / 2 + ((to - from) / 2) * Math.cos(angle)
  })
  const table = points.map(f)
  for (let j = 1; j < count; j++) {
    for (let i = count - 1; i >= j; i--) table[i] = (table[i]! - table[i - 1]!) / (points[i]! - points[i - j]!)
  }
  let polynomial = [table[count - 1]!]
  for (let i = count - 2; i >= 0; i--) {
    const next = [0, ...polynomial]
    polynomial.forEach((value, k) => {
      next[k]! -= points[i]! * value
    })
    next[0]! += table[i]!
    polynomial = next
  }
  return polynomial
}
