import { erfCoefficients, erfcCoefficients } from './constants.ts'
import { exactExp } from './exp.ts'
import { polynomial } from './polynomial.ts'

const f = Math.fround

/**
 * The error function 2/√π·∫₀ˣ e^(−t²) dt in f32, the same bits everywhere (E-22).
 *
 *   |x| < 1:  x + x·q(x²);   else  sign(x)·(1 − e^(−g(min(|x|, 4) − 1)))
 *
 * @param x f32; NaN gives NaN, ±infinity gives ±1, −0 gives −0
 *
 * Order: every operation rounds to f32. Measured error: at most 2 units in the last place.
 */
export function exactErf(x: number): number {
  const value = f(x)
  const near = f(value + f(value * polynomial(f(value * value), erfCoefficients)))
  const size = Math.abs(value)
  const inside = 4 < size ? 4 : size
  const far = f(1 - exactExp(-polynomial(f(inside - 1), erfcCoefficients)))
  if (size < 1) return near
  return value < 0 ? -far : far
}
