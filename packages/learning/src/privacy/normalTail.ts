import { exactExp64, exactLog64 } from '@potluck/engine'

/** ln √π. */
const LOG_ROOT_PI = 0.5723649429247001
/** 2 / √π. */
const TWO_OVER_ROOT_PI = 1.1283791670955126
const ROOT_HALF = Math.sqrt(0.5)

/**
 * ln erfc(x) in f64, also where erfc itself would underflow.
 *
 *   x < 1: 1 − erf(x), erf by its series e^−x² · 2/√π · Σ 2^n x^(2n+1) / (1·3·…·(2n+1)), whose terms are all positive
 *   else:  −x² − ln √π + ln of the continued fraction 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …))))
 *
 * Absolute error of the logarithm, which is the relative error of erfc, below 2e-15 + 2^-53·x² (x² itself is rounded).
 * Order: series term by term upwards; the fraction from its inner end outwards.
 */
export function logErfc(x: number): number {
  if (x < 1) return exactLog64(1 - erfSeries(x))
  return -x * x - LOG_ROOT_PI + exactLog64(tailFraction(x))
}

/** erfc(x); relative error as `logErfc`. 0 above 26.6. */
export function erfc(x: number): number {
  if (x < 1) return 1 - erfSeries(x)
  return (exactExp64(-x * x) * tailFraction(x)) / exactExp64(LOG_ROOT_PI)
}

/** P(Z > z) of a standard normal Z. */
export const normalTail = (z: number): number => 0.5 * erfc(z * ROOT_HALF)

/** P(a < Z ≤ b) of a standard normal Z, without loss of digits in either tail. */
export function normalBetween(a: number, b: number): number {
  if (!(a < b)) return 0
  return a > 0 ? normalTail(a) - normalTail(b) : normalTail(-b) - normalTail(-a)
}

function erfSeries(x: number): number {
  if (x < -6) return -1
  const square = x * x
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term = (term * 2 * square) / (2 * n + 1)
    sum += term
  }
  return TWO_OVER_ROOT_PI * exactExp64(-square) * sum
}

/** The fraction from its `depth`-th denominator; at x = 1 some 300 levels give all digits, further out fewer do. */
function tailFraction(x: number): number {
  const depth = Math.ceil(20 + 280 / (x * x))
  let value = x
  for (let k = depth; k >= 1; k--) value = x + (0.5 * k) / value
  return 1 / value
}
