import { distancesTo, lowerMedian } from './distances.ts'
import type { Aggregate } from './Rule.ts'
import { weightedSum } from './weightedSum.ts'

/**
 * The mean of the updates, each shortened to `bound` where it is longer; without `bound`, to the lower median length. It checks no
 * direction: what many push one way, it follows.
 *
 * Order: lengths as `distancesTo` from zeros, min(1, bound / length) / n in f64, the sum as `weightedSum` (L-31).
 */
export function normBound(updates: readonly Float32Array[], bound?: number): Aggregate {
  const lengths = distancesTo(updates, new Float32Array(updates[0]!.length))
  const longest = bound ?? lowerMedian(lengths)
  const factors = lengths.map((length) => (length > longest ? longest / length : 1) / updates.length)
  const total = factors.reduce((sum, factor) => sum + factor, 0)
  return {
    update: weightedSum(updates, factors),
    weights: Float32Array.from(factors, (factor) => (total > 0 ? factor / total : 0)),
  }
}
