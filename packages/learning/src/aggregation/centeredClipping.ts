import { distancesTo, lowerMedian } from './distances.ts'
import type { Aggregate } from './Rule.ts'
import { weightedSum } from './weightedSum.ts'

const ITERATIONS = 3

/**
 * From the aggregate of the round before (zeros in the first) a mean of steps towards each update, none longer than `radius`.
 *
 *   c_i = min(1, radius / |u_i − v|)        v ← v + (1/n) Σ c_i (u_i − v)        3 times
 *
 * So it ends within 3 · radius of where it began. A member's weight is its last c over their sum. Without `radius` it is the lower
 * median of the distances to the start, taken once.
 *
 * Order: distances as `distancesTo`, c in f64; v = ((1 − Σ c_i/n) · v + Σ (c_i/n) · u_i) as `weightedSum` with v first (L-34).
 * Source: arXiv:2012.10333. An attacker who knows it hides within the radius (arXiv:2208.09894).
 */
export function centeredClipping(
  updates: readonly Float32Array[],
  radius: number | undefined,
  previous: Float32Array | undefined,
): Aggregate {
  const n = updates.length
  let centre = previous ?? new Float32Array(updates[0]!.length)
  const within = radius ?? lowerMedian(distancesTo(updates, centre))
  let shares = new Float64Array(n)
  for (let k = 0; k < ITERATIONS; k++) {
    shares = distancesTo(updates, centre).map((distance) => (distance > within ? within / distance : 1) / n)
    const moved = shares.reduce((sum, share) => sum + share, 0)
    centre = weightedSum([centre, ...updates], [1 - moved, ...shares])
  }
  const total = shares.reduce((sum, share) => sum + share, 0)
  return { update: centre, weights: Float32Array.from(shares, (share) => (total > 0 ? share / total : 0)) }
}
