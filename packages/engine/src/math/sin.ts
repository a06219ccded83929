import { cosCoefficients, sinCoefficients } from './constants.ts'
import { polynomial } from './polynomial.ts'
import { quarterTurns } from './quarterTurns.ts'

const f = Math.fround

/**
 * The sine in f32, the same bits everywhere (E-21).
 *
 *   x = n·π/2 + r;  sine of r for even n: r + (r·z)·s(z);  cosine of r for odd n: 1 + (z·(−½) + (z·z)·c(z));  z = r²;
 *   negated when bit 1 of n is set
 *
 * @param x f32, radians; NaN and ±infinity give NaN, −0 gives +0
 *
 * Order: every operation rounds to f32. Measured error for |x| ≤ 12,800: at most 3 units in the last place. Beyond that
 * the result lies in −1 to 1 and is the same everywhere, but is no sine.
 */
export function exactSin(x: number): number {
  const { word, r } = quarterTurns(f(x))
  return sineOf(word, r)
}

/** The sine of n quarter turns and r, n given by its two lowest bits. */
export function sineOf(word: number, r: number): number {
  const z = f(r * r)
  const sine = f(r + f(f(r * z) * polynomial(z, sinCoefficients)))
  const cosine = f(1 + f(f(z * -0.5) + f(f(z * z) * polynomial(z, cosCoefficients))))
  const size = word << 31 === 0 ? sine : cosine
  return word << 30 < 0 ? -size : size
}
