import { ln2High, ln2Low, logCoefficients } from './constants.ts'
import { polynomial } from './polynomial.ts'

const f = Math.fround
const float = new Float32Array(1)
const integer = new Int32Array(float.buffer)

/**
 * The natural logarithm in f32, the same bits everywhere (E-07).
 *
 *   x = 2^e · m,  m in [0.7071, 1.4142),  s = (m − 1) / (m + 1),  log x = e·ln2High + (2s + (2s·s²·q(s²) + e·ln2Low))
 *
 * @param x f32; subnormals are scaled by 2^25 first; 0 gives −infinity; negative or NaN gives NaN
 *
 * Order: every operation rounds to f32. Measured error: at most 2 units in the last place.
 */
export function exactLog(x: number): number {
  const value = f(x)
  const small = value < 1.1754943508222875e-38
  float[0] = small ? f(value * 33554432) : value
  const shifted = (integer[0]! - 0x3f3504f3) | 0
  const e = f((shifted >> 23) + (small ? -25 : 0))
  integer[0] = (integer[0]! - ((shifted >> 23) << 23)) | 0
  const m = float[0]!
  const s = f(f(m - 1) / f(m + 1))
  const z = f(s * s)
  const twice = f(s + s)
  const tail = f(f(f(twice * z) * polynomial(z, logCoefficients)) + f(e * ln2Low))
  const result = f(f(e * ln2High) + f(twice + tail))
  if (value === Number.POSITIVE_INFINITY) return value
  if (value === 0) return Number.NEGATIVE_INFINITY
  return 0 < value ? result : Number.NaN
}
