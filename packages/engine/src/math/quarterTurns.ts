import { halfPi1, halfPi2, halfPi3, halfPi4, roundingBias, turnLimit, twoOverPi } from './constants.ts'

const f = Math.fround
const float = new Float32Array(1)
const integer = new Int32Array(float.buffer)

/**
 * x as quarter turns and a rest: x = n·π/2 + r with |r| ≤ π/4 (E-21).
 *
 *   n = round(x·2/π),  r = (((x − n·p1) − n·p2) − n·p3) − n·p4,  clamped to ±turnLimit
 *
 * The first three parts of π/2 have 11 bits, so that their products with n are exact for |n| < 2^13, that is for
 * |x| ≤ 12,800; there r is right to one unit in its last place. Beyond, r is kept inside the clamp but means nothing.
 *
 * @returns `word`: an integer whose two lowest bits are those of n
 */
export function quarterTurns(x: number): { readonly word: number; readonly r: number } {
  const biased = f(f(x * twoOverPi) + roundingBias)
  const n = f(biased - roundingBias)
  const r = f(f(f(f(x - f(n * halfPi1)) - f(n * halfPi2)) - f(n * halfPi3)) - f(n * halfPi4))
  float[0] = biased
  const above = turnLimit < r ? turnLimit : r
  return { word: integer[0]!, r: above < -turnLimit ? -turnLimit : above }
}
