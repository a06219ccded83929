import { exactLog64 } from '@potluck/engine'

/** 2^-52: the spacing of the uniforms in [−1, 1). */
const STEP = 1 / 4_503_599_627_370_496

/**
 * Standard normal numbers in f64 from a stream of secret random words (`wordStream`), whole tails included: the polar method, which needs
 * no sine. Two numbers from 2.6 words on average.
 *
 *   u, v uniform in (−1, 1) until 0 < s = u² + v² < 1;  u·√(−2 ln s / s), then v·√(−2 ln s / s)
 *
 * The largest is about 12, which a true normal passes once in 10^32 draws. f64 numbers have gaps: add them to a signal only
 * through `addGaussian`, which rounds the gaps away.
 *
 * Source: Marsaglia and Bray 1964.
 */
export function gaussianStream(next: () => bigint): () => number {
  let kept: number | null = null
  return () => {
    if (kept !== null) {
      const value = kept
      kept = null
      return value
    }
    for (;;) {
      const [u, v] = [symmetric(next()), symmetric(next())]
      const s = u * u + v * v
      if (s >= 1 || s === 0) continue
      const scale = Math.sqrt((-2 * exactLog64(s)) / s)
      kept = v * scale
      return u * scale
    }
  }
}

/** The upper 53 bits as a multiple of 2^-52 in [−1, 1), moved by half a step so that both signs are alike. */
const symmetric = (word: bigint): number => (Number(word >> 11n) + 0.5) * STEP - 1
