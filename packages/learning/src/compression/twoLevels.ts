import { fromScale, toScale } from './scale16.ts'

export type TwoLevels = {
  /** Scales (16 bits), low ≤ high. */
  readonly low: number
  readonly high: number
  /** Magnitudes from here on take the high one. Equal to the smallest magnitude where there is one level. */
  readonly from: number
}

/**
 * The two levels that stand for magnitudes with the least squared error among all pairs of 16-bit scales.
 *
 * For fixed levels the best assignment cuts the sorted magnitudes in two, and for a fixed cut the best scale is the one nearest to
 * the mean of its part. So every cut is tried: with s_i the sum and n_i the number of part i, the error is Σx² − Σ (2·l_i·s_i − n_i·l_i²).
 * Of equal errors the cut with fewer high ones wins; equal magnitudes are never cut apart.
 *
 * @param sorted magnitudes in descending order, at least one; read only
 * Order: sums in f64 from the largest down. Cost: two scales for each cut.
 */
export function twoLevels(sorted: Float32Array): TwoLevels {
  const count = sorted.length
  let total = 0
  for (let i = 0; i < count; i++) total += sorted[i]!
  const single = toScale(total / count)
  let best = gainOf(single, total, count)
  let [low, high, from] = [single, single, sorted[count - 1]!]
  let upper = 0
  for (let cut = 1; cut < count; cut++) {
    upper += sorted[cut - 1]!
    if (sorted[cut - 1]! === sorted[cut]!) continue
    const a = toScale(upper / cut)
    const b = toScale((total - upper) / (count - cut))
    const gain = gainOf(a, upper, cut) + gainOf(b, total - upper, count - cut)
    if (gain > best && a > b) {
      best = gain
      low = b
      high = a
      from = sorted[cut - 1]!
    }
  }
  return { low, high, from }
}

/** By how much a level lowers Σx² when `count` values of this sum take it. */
function gainOf(scale: number, sum: number, count: number): number {
  const level = fromScale(scale)
  return level * (2 * sum - count * level)
}
