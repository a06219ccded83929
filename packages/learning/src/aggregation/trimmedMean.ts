import type { Aggregate } from './Rule.ts'

/** Coordinates gathered at a time: read along each update, sorted across them. */
const BLOCK = 256
/** Up to so many values insertion beats a call of the platform's sort. */
const SHORT = 24

/**
 * For each coordinate the mean of what is left when the `trim` largest and the `trim` smallest values are cut; at most so many that one
 * or two are left.
 *
 * A member's weight is the share of coordinates where its value lies among those left. Order: left values from the smallest up, from 0
 * in f64, divided by their number, rounded to f32 once; so the order of members changes no bit of the update (L-32).
 * Cost: a sort of n values for each coordinate. Source: arXiv:1803.01498.
 */
export function trimmedMean(updates: readonly Float32Array[], trim: number): Aggregate {
  const n = updates.length
  const P = updates[0]!.length
  const cut = Math.min(trim, (n - 1) >> 1)
  const kept = n - 2 * cut
  const update = new Float32Array(P)
  const counts = new Float64Array(n)
  const columns = new Float32Array(BLOCK * n)
  for (let start = 0; start < P; start += BLOCK) {
    const width = Math.min(BLOCK, P - start)
    updates.forEach((row, i) => {
      for (let j = 0; j < width; j++) columns[j * n + i] = row[start + j]!
    })
    for (let j = 0; j < width; j++) {
      const column = columns.subarray(j * n, (j + 1) * n)
      sortShort(column)
      let sum = 0
      for (let k = cut; k < n - cut; k++) sum += column[k]!
      update[start + j] = sum / kept
      countInside(updates, start + j, column[cut]!, column[n - cut - 1]!, counts)
    }
  }
  const total = counts.reduce((sum, count) => sum + count, 0)
  return { update, weights: Float32Array.from(counts, (count) => (total > 0 ? count / total : 0)) }
}

/** The value in the middle of each coordinate; of an even number the mean of the two in the middle (L-32). */
export const median = (updates: readonly Float32Array[]): Aggregate => trimmedMean(updates, updates.length)

function sortShort(values: Float32Array): void {
  if (values.length > SHORT) {
    values.sort()
    return
  }
  for (let k = 1; k < values.length; k++) {
    const value = values[k]!
    let at = k - 1
    while (at >= 0 && values[at]! > value) {
      values[at + 1] = values[at]!
      at--
    }
    values[at + 1] = value
  }
}

function countInside(
  updates: readonly Float32Array[],
  at: number,
  low: number,
  high: number,
  counts: Float64Array,
): void {
  for (let i = 0; i < updates.length; i++) {
    const value = updates[i]![at]!
    if (value >= low && value <= high) counts[i]!++
  }
}
