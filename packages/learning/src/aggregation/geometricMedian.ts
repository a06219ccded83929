import { distancesTo, lowerMedian } from './distances.ts'
import { normBound } from './normBound.ts'
import type { Aggregate } from './Rule.ts'
import { weightedSum } from './weightedSum.ts'

/** Enough that the weights of ordinary rounds stand still to three digits. */
const ITERATIONS = 16
/** 2^-20 of the median distance: closer than that counts as that far, so that nothing is divided by 0. */
const SMOOTHING = 1 / 1_048_576

/**
 * The point with the least sum of distances to the updates, by Weiszfeld's iteration, smoothed.
 *
 *   w_i = 1 / max(ν, |u_i − v|)        v ← Σ w_i u_i / Σ w_i        16 times
 *
 * It begins with the mean of updates no longer than their median (`normBound`): from the plain mean a huge update takes long to be
 * forgotten, and from the coordinate median, which may itself be one of the updates, the iteration hardly moves.
 *
 * Each member has one say, however many rows it claims. Order: distances as `distancesTo`, weights divided by their sum in the order of
 * members, both in f64; v as `weightedSum` (L-34). Cost: 34 passes. Source: arXiv:1912.13445.
 */
export function geometricMedian(updates: readonly Float32Array[]): Aggregate {
  const start = normBound(updates)
  const smallest = lowerMedian(distancesTo(updates, start.update)) * SMOOTHING
  // More than half of them are the start.
  if (smallest === 0) return start
  let { update, weights }: { update: Float32Array; weights: ArrayLike<number> } = start
  for (let k = 0; k < ITERATIONS; k++) {
    const raw = distancesTo(updates, update).map((distance) => 1 / Math.max(smallest, distance))
    const total = raw.reduce((sum, weight) => sum + weight, 0)
    weights = raw.map((weight) => weight / total)
    update = weightedSum(updates, weights)
  }
  return { update, weights: Float32Array.from(weights) }
}
