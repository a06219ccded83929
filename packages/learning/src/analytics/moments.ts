import { PotluckError } from '@potluck/protocol'

/** Count, mean and variance (over n, not n − 1) of each column over all members' rows. */
export type Moments = { readonly count: number; readonly mean: readonly number[]; readonly variance: readonly number[] }

/**
 * What one member adds to a sum of moments: `[rows, sum of each column, sum of squares of each column]` (L-51).
 *
 * Order: rows as given, f64. Whole numbers stay exact up to 2^53.
 */
export function momentsVector(rows: readonly ArrayLike<number>[], columns: number): Float64Array {
  const out = new Float64Array(1 + 2 * columns)
  out[0] = rows.length
  for (const row of rows) {
    if (row.length !== columns) {
      throw new PotluckError('BAD_ROW', `expected ${columns} numbers in each row, got ${row.length}`)
    }
    for (let j = 0; j < columns; j++) {
      out[1 + j]! += row[j]!
      out[1 + columns + j]! += row[j]! * row[j]!
    }
  }
  return out
}

/**
 * Moments from the sum of all members' vectors. A variance that rounding (or noise) made negative is 0.
 *
 * @throws PotluckError BAD_SUM when the count is not positive: noise larger than the group, or another query's sum
 */
export function momentsFromSum(sum: Float64Array): Moments {
  const columns = (sum.length - 1) / 2
  const count = sum[0] ?? 0
  if (!Number.isInteger(columns) || !(count > 0)) {
    throw new PotluckError(
      'BAD_SUM',
      `expected 1 + 2 · columns numbers with a positive count, got ${sum.length} starting with ${count}`,
      {
        length: sum.length,
        count,
      },
    )
  }
  const mean = Array.from(sum.subarray(1, 1 + columns), (total) => total / count)
  const variance = mean.map((m, j) => Math.max(0, sum[1 + columns + j]! / count - m * m))
  return { count, mean, variance }
}
