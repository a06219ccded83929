import { PotluckError } from '@potluck/protocol'
import type { TableRow } from './tableRow.ts'

/** Mean and standard deviation of each input over the training rows of all members; a constant input has `sd` 1 (L-04). */
export type Scaling = { readonly mean: readonly number[]; readonly sd: readonly number[] }

/**
 * What one member adds to the scaling sum: `[count, sum of each input, sum of squares of each input]`, 1 + 2d numbers.
 *
 * Order: rows as given, f64 (L-05).
 */
export function localStatistics(rows: readonly TableRow[]): Float64Array {
  const d = rows[0]?.inputs.length ?? 0
  const out = new Float64Array(1 + 2 * d)
  out[0] = rows.length
  for (const { inputs } of rows) {
    for (let j = 0; j < d; j++) {
      const x = inputs[j]!
      out[1 + j]! += x
      out[1 + d + j]! += x * x
    }
  }
  return out
}

/**
 * The scaling that a sum of `localStatistics` gives.
 *
 * The variance is the mean square less the squared mean: it loses about twice the digits of mean/sd, harmless where inputs
 * are within a thousand standard deviations of zero. What is left below 1e-9 of the mean square counts as constant.
 *
 * @throws PotluckError BAD_STATISTICS when the length is even or the count is not positive
 */
export function scalingFromSum(sum: Float64Array): Scaling {
  const d = (sum.length - 1) / 2
  const count = sum[0] ?? 0
  if (!Number.isInteger(d) || !(count > 0)) {
    throw new PotluckError(
      'BAD_STATISTICS',
      `expected 1 + 2d numbers starting with a positive count, got ${sum.length} starting with ${count}: sum the members' localStatistics`,
      { length: sum.length, count },
    )
  }
  const mean: number[] = []
  const sd: number[] = []
  for (let j = 0; j < d; j++) {
    const average = sum[1 + j]! / count
    const meanSquare = sum[1 + d + j]! / count
    const variance = meanSquare - average * average
    mean.push(average)
    sd.push(variance > 1e-9 * meanSquare ? Math.sqrt(variance) : 1)
  }
  return { mean, sd }
}

/** `(x - mean) / sd` for each input, followed by a 1 for the intercept: d + 1 numbers written to `out`. */
export function standardise(inputs: Float64Array, scaling: Scaling, out: Float64Array): void {
  const d = inputs.length
  for (let j = 0; j < d; j++) out[j] = (inputs[j]! - scaling.mean[j]!) / scaling.sd[j]!
  out[d] = 1
}
