import type { Aggregate } from './Rule.ts'
import { weightedSum } from './weightedSum.ts'

/** The mean over members, each with the same say. One liar moves it anywhere. Order: that of `weightedMean` with a row each (L-31). */
export const mean = (updates: readonly Float32Array[]): Aggregate =>
  weightedMean(
    updates,
    updates.map(() => 1),
  )

/**
 * The mean over members by their rows: FedAvg (arXiv:1602.05629). When nobody has a row it is all zeros.
 *
 * Order: weights are rows ÷ all rows in f64, then as `weightedSum` (L-31).
 */
export function weightedMean(updates: readonly Float32Array[], sizes: readonly number[]): Aggregate {
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const weights = sizes.map((size) => (total > 0 ? size / total : 0))
  return { update: weightedSum(updates, weights), weights: Float32Array.from(weights) }
}
