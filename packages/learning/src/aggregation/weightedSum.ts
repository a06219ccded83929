/** Coordinates summed at a time, so that the sums stay in the fastest cache while the updates stream by. */
const BLOCK = 2048

/**
 * Σ weights_i · updates_i, to f32.
 *
 * Order: for each coordinate from 0 in f64 by members; every product is rounded, then added, and the sum rounded to f32 once. Members of
 * weight 0 are left out. Cost: one pass over the updates.
 */
export function weightedSum(updates: readonly Float32Array[], weights: ArrayLike<number>): Float32Array {
  const P = updates[0]?.length ?? 0
  const sum = new Float32Array(P)
  const block = new Float64Array(BLOCK)
  for (let start = 0; start < P; start += BLOCK) {
    const width = Math.min(BLOCK, P - start)
    block.fill(0)
    for (let i = 0; i < updates.length; i++) {
      const weight = weights[i]!
      if (weight === 0) continue
      const update = updates[i]!
      for (let j = 0; j < width; j++) block[j]! += weight * update[start + j]!
    }
    for (let j = 0; j < width; j++) sum[start + j] = block[j]!
  }
  return sum
}
