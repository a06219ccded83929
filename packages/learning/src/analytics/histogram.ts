import { PotluckError } from '@potluck/protocol'

/**
 * How many of `values` lie below the first edge, in each bin [edge, next edge), and at or above the last: edges.length + 1 counts that a
 * member adds to a sum (L-51).
 *
 * @param edges ascending, at least one; @throws PotluckError BAD_EDGES, NAN
 */
export function histogramCounts(values: ArrayLike<number>, edges: readonly number[]): Float64Array {
  const isAscending =
    edges.length > 0 && edges.every((edge, i) => Number.isFinite(edge) && (i === 0 || edge > edges[i - 1]!))
  if (!isAscending)
    throw new PotluckError('BAD_EDGES', `expected finite ascending edges, got ${edges.slice(0, 5).join(', ')}`)
  const counts = new Float64Array(edges.length + 1)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isNaN(value)) throw new PotluckError('NAN', `value ${i} is not a number: leave the row out`, { at: i })
    let [low, high] = [0, edges.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (value < edges[middle]!) high = middle
      else low = middle + 1
    }
    counts[low]! += 1
  }
  return counts
}

/** How many rows have each label, 0 to classes − 1. Throws BAD_LABEL for any other. */
export function labelCounts(labels: ArrayLike<number>, classes: number): Float64Array {
  const counts = new Float64Array(classes)
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new PotluckError('BAD_LABEL', `expected labels 0 to ${classes - 1}, got ${label} in row ${i}`, {
        row: i,
        label,
      })
    }
    counts[label]! += 1
  }
  return counts
}
