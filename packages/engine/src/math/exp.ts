import { expCoefficients, expOverflow, expUnderflow, ln2High, ln2Low, log2e, roundingBias } from './constants.ts'
import { polynomial } from './polynomial.ts'
import { powerOfTwo } from './powerOfTwo.ts'

const f = Math.fround

/**
 * e^x in f32, the same bits everywhere (E-06).
 *
 *   n = round(x · log2 e),  r = (x − n·ln2High) − n·ln2Low,  e^x = (1 + (r + r²·q(r))) · 2^h · 2^(n−h),  h = round(n/2)
 *
 * @param x f32; NaN gives NaN
 * @returns f32; +infinity above 88.7228, +0 below −87.3365 (results that would be subnormal are +0)
 *
 * Order: every operation rounds to f32. Measured error: at most 1 unit in the last place.
 */
export function exactExp(x: number): number {
  const value = f(x)
  const n = f(f(f(value * log2e) + roundingBias) - roundingBias)
  const r = f(f(value - f(n * ln2High)) - f(n * ln2Low))
  const p = f(1 + f(r + f(f(r * r) * polynomial(r, expCoefficients))))
  const h = f(f(f(n * 0.5) + roundingBias) - roundingBias)
  const result = f(f(p * powerOfTwo(h)) * powerOfTwo(f(n - h)))
  if (expOverflow < value) return Number.POSITIVE_INFINITY
  return value < expUnderflow ? 0 : result
}
