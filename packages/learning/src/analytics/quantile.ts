import { PotluckError } from '@potluck/protocol'

/**
 * A quantile over rows that stay with their owners, by ever finer histograms: each round is one sum of counts, and narrows the interval
 * to one of `bins` equal parts (L-51).
 *
 *   search = startQuantile(…)
 *   while (!search.isDone) search = narrowQuantile(search, sum of histogramCounts(values, quantileEdges(search)))
 *
 * The interval holds the value of rank ⌈q·n⌉ (the first for q = 0) in the sorted rows of all members. Plain JSON.
 */
export type QuantileSearch = {
  readonly q: number
  readonly low: number
  readonly high: number
  readonly bins: number
  /** Widest interval to stop at: in the column's unit. */
  readonly width: number
  readonly isDone: boolean
}

/**
 * @param range known bounds of the column: values outside count as beyond them, and a quantile there is reported as an error
 * @throws PotluckError BAD_QUANTILE
 */
export function startQuantile(
  q: number,
  range: { readonly low: number; readonly high: number },
  { bins = 16, width }: { bins?: number; width: number },
): QuantileSearch {
  const { low, high } = range
  if (
    !(q >= 0 && q <= 1 && high > low && Number.isInteger(bins) && bins >= 2 && width > 0) ||
    !Number.isFinite(high - low)
  ) {
    throw new PotluckError(
      'BAD_QUANTILE',
      `expected q from 0 to 1, a finite range, at least 2 bins and a positive width, got ${q}, ${low} to ${high}, ${bins} and ${width}`,
    )
  }
  return { q, low, high, bins, width, isDone: high - low <= width }
}

/** The edges that everybody counts by this round. */
export const quantileEdges = ({ low, high, bins }: QuantileSearch): number[] =>
  Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + ((high - low) * i) / bins))

/**
 * The search after one round.
 *
 * @param sum of `histogramCounts` over `quantileEdges`, noise included if there is any
 * @throws PotluckError BAD_SUM for another length or no rows; QUANTILE_OUTSIDE when it lies outside the range
 */
export function narrowQuantile(search: QuantileSearch, sum: Float64Array): QuantileSearch {
  const total = sum.reduce((count, value) => count + value, 0)
  if (sum.length !== search.bins + 2 || !(total > 0)) {
    throw new PotluckError(
      'BAD_SUM',
      `expected ${search.bins + 2} counts of at least one row, got ${sum.length} of ${total}`,
      {
        length: sum.length,
        rows: total,
      },
    )
  }
  const rank = Math.max(1, Math.ceil(search.q * total))
  let below = sum[0]!
  if (below < rank) {
    const edges = quantileEdges(search)
    for (let bin = 0; bin < search.bins; bin++) {
      below += sum[bin + 1]!
      if (below < rank) continue
      const [low, high] = [edges[bin]!, edges[bin + 1]!]
      // Below the spacing of numbers an interval no longer shrinks.
      const isDone = high - low <= search.width || (low === search.low && high === search.high)
      return { ...search, low, high, isDone }
    }
  }
  throw new PotluckError(
    'QUANTILE_OUTSIDE',
    `the quantile lies outside ${search.low} to ${search.high}: start again with a wider range`,
    { low: search.low, high: search.high },
  )
}
