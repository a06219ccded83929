import {
  cosCoefficients,
  erfCoefficients,
  erfcCoefficients,
  expCoefficients,
  expOverflow,
  expUnderflow,
  halfPi1,
  halfPi2,
  halfPi3,
  halfPi4,
  ln2High,
  ln2Low,
  log2e,
  logCoefficients,
  roundingBias,
  sinCoefficients,
  tanhCoefficients,
  tanhSplit,
  turnLimit,
  twoOverPi,
} from '../math/constants.ts'
import type { Integer, Real, ScalarBuilder } from './ScalarBuilder.ts'

/** `exactExp` as scalar instructions: the same operations in the same order (E-06). */
export function exp(s: ScalarBuilder, x: Real): Real {
  const bias = s.constant(roundingBias)
  const round = (value: Real): Real => s.subtract(s.add(value, bias), bias)
  const n = round(s.multiply(x, s.constant(log2e)))
  const r = s.subtract(s.subtract(x, s.multiply(n, s.constant(ln2High))), s.multiply(n, s.constant(ln2Low)))
  const tail = s.multiply(s.multiply(r, r), s.polynomial(r, expCoefficients))
  const p = s.add(s.constant(1), s.add(r, tail))
  const h = round(s.multiply(n, s.constant(0.5)))
  const result = s.multiply(s.multiply(p, powerOfTwo(s, h)), powerOfTwo(s, s.subtract(n, h)))
  const bounded = s.select(s.less(x, s.constant(expUnderflow)), s.constant(0), result)
  return s.select(s.less(s.constant(expOverflow), x), s.constant(Number.POSITIVE_INFINITY), bounded)
}

/** 2^n of an integer-valued f32: the low bits of n + 1.5·2^23 are n, shifted into the exponent. */
function powerOfTwo(s: ScalarBuilder, n: Real): Real {
  const shifted = s.shiftLeft(s.bits(s.add(n, s.constant(roundingBias))), 23)
  return s.fromBits(s.integerAdd(shifted, s.integer(0x3f800000)))
}

/** `exactLog` as scalar instructions: the same operations in the same order (E-07). */
export function log(s: ScalarBuilder, x: Real): Real {
  const small = s.less(x, s.constant(1.1754943508222875e-38))
  const scaled = s.select(small, s.multiply(x, s.constant(33554432)), x)
  const word = s.bits(scaled)
  const exponent = s.shiftRight(s.integerAdd(word, s.integer(-0x3f3504f3)), 23)
  const e = s.add(s.toFloat(exponent), s.select(small, s.constant(-25), s.constant(0)))
  const m = s.fromBits(s.integerSubtract(word, s.shiftLeft(exponent, 23)))
  const t = s.divide(s.subtract(m, s.constant(1)), s.add(m, s.constant(1)))
  const z = s.multiply(t, t)
  const twice = s.add(t, t)
  const tail = s.add(
    s.multiply(s.multiply(twice, z), s.polynomial(z, logCoefficients)),
    s.multiply(e, s.constant(ln2Low)),
  )
  const result = s.add(s.multiply(e, s.constant(ln2High)), s.add(twice, tail))
  const infinity = s.constant(Number.POSITIVE_INFINITY)
  const zero = s.constant(0)
  const positive = s.select(s.less(zero, x), result, s.divide(zero, zero))
  const defined = s.select(s.equal(x, zero), s.constant(Number.NEGATIVE_INFINITY), positive)
  return s.select(s.equal(x, infinity), infinity, defined)
}

/** `exactTanh` as scalar instructions: the same operations in the same order (E-08). */
export function tanh(s: ScalarBuilder, x: Real): Real {
  const z = s.multiply(x, x)
  const near = s.add(x, s.multiply(s.multiply(x, z), s.polynomial(z, tanhCoefficients)))
  const size = s.absolute(x)
  const one = s.constant(1)
  const far = s.subtract(one, s.divide(s.constant(2), s.add(exp(s, s.add(size, size)), one)))
  const signed = s.select(s.less(x, s.constant(0)), s.negate(far), far)
  return s.select(s.less(size, s.constant(tanhSplit)), near, signed)
}

/** 1 / (1 + e^−x). */
export function sigmoid(s: ScalarBuilder, x: Real): Real {
  return s.divide(s.constant(1), s.add(s.constant(1), exp(s, s.negate(x))))
}

/** `exactSin` as scalar instructions: the same operations in the same order (E-21). */
export function sin(s: ScalarBuilder, x: Real): Real {
  const { word, r } = quarterTurns(s, x)
  return sineOf(s, word, r)
}

/** `exactCos` as scalar instructions: the same operations in the same order (E-21). */
export function cos(s: ScalarBuilder, x: Real): Real {
  const { word, r } = quarterTurns(s, x)
  return sineOf(s, s.integerAdd(word, s.integer(1)), r)
}

function quarterTurns(s: ScalarBuilder, x: Real): { word: Integer; r: Real } {
  const bias = s.constant(roundingBias)
  const biased = s.add(s.multiply(x, s.constant(twoOverPi)), bias)
  const n = s.subtract(biased, bias)
  const rest = [halfPi1, halfPi2, halfPi3, halfPi4].reduce(
    (left, part) => s.subtract(left, s.multiply(n, s.constant(part))),
    x,
  )
  const [limit, least] = [s.constant(turnLimit), s.constant(-turnLimit)]
  const above = s.select(s.less(limit, rest), limit, rest)
  return { word: s.bits(biased), r: s.select(s.less(above, least), least, above) }
}

function sineOf(s: ScalarBuilder, word: Integer, r: Real): Real {
  const z = s.multiply(r, r)
  const sine = s.add(r, s.multiply(s.multiply(r, z), s.polynomial(z, sinCoefficients)))
  const tail = s.multiply(s.multiply(z, z), s.polynomial(z, cosCoefficients))
  const cosine = s.add(s.constant(1), s.add(s.multiply(z, s.constant(-0.5)), tail))
  const isEven = s.integerEqual(s.shiftLeft(word, 31), s.integer(0))
  const size = s.select(isEven, sine, cosine)
  return s.select(s.integerLessOrEqual(s.integer(0), s.shiftLeft(word, 30)), size, s.negate(size))
}

/** `exactErf` as scalar instructions: the same operations in the same order (E-22). */
export function erf(s: ScalarBuilder, x: Real): Real {
  const one = s.constant(1)
  const near = s.add(x, s.multiply(x, s.polynomial(s.multiply(x, x), erfCoefficients)))
  const size = s.absolute(x)
  const four = s.constant(4)
  const inside = s.select(s.less(four, size), four, size)
  const g = s.polynomial(s.subtract(inside, one), erfcCoefficients)
  const far = s.subtract(one, exp(s, s.negate(g)))
  const signed = s.select(s.less(x, s.constant(0)), s.negate(far), far)
  return s.select(s.less(size, one), near, signed)
}
