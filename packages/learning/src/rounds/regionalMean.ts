import { PotluckError } from '@potluck/protocol'

/** What one region sends to the others: the weighted mean of its updates, and their weight in whole units (rows, steps, tokens). */
export type WeightedUpdate = { readonly update: Float32Array; readonly weight: number }

/**
 * The weighted mean of updates, and their weight together: used inside each region and again across regions (L-71).
 *
 *   mean[p] = fround(Σ w_i · u_i[p] / Σ w_i)      products and sums in f64, in the order given
 *
 * Two levels give what one level gives up to the f32 rounding of the regional means: for R regions the results differ at an element
 * by at most 2^−23 · Σ_r W_r |m_r| / Σ_r W_r, the means' magnitudes there, plus 2^−149.
 *
 * Only means go this way. A robust rule over regional means would see a region with its liars as one member: rules that weigh
 * single updates run over all of them.
 *
 * @throws PotluckError NO_UPDATES for none; SHAPE for lengths that differ; BAD_WEIGHT for a weight that is no whole number from 1
 */
export function weightedMeanOf(updates: readonly WeightedUpdate[]): WeightedUpdate {
  const first = updates[0]
  if (!first) throw new PotluckError('NO_UPDATES', 'a mean needs at least one update')
  const P = first.update.length
  const sum = new Float64Array(P)
  let total = 0
  for (const { update, weight } of updates) {
    if (update.length !== P) throw new PotluckError('SHAPE', `expected ${P} values, got ${update.length}`)
    if (!Number.isSafeInteger(weight) || weight < 1)
      throw new PotluckError('BAD_WEIGHT', `weights are whole and at least 1, got ${weight}`)
    total += weight
    for (let p = 0; p < P; p++) sum[p] = sum[p]! + weight * update[p]!
  }
  const mean = new Float32Array(P)
  for (let p = 0; p < P; p++) mean[p] = sum[p]! / total
  return { update: mean, weight: total }
}

/** The mean over regions of the means within them; regions without an update are left out. */
export const regionalMean = (regions: readonly (readonly WeightedUpdate[])[]): WeightedUpdate =>
  weightedMeanOf(regions.filter((region) => region.length > 0).map(weightedMeanOf))
