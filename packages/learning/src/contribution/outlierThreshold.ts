/**
 * What a number must exceed to stand out of a population that may itself hold up to a quarter of outliers: lower median plus six times
 * the lower median deviation from it, but within `least` and `most`.
 */
export function outlierThreshold(values: readonly number[], least: number, most: number): number {
  const middle = lowerMedian(values)
  const deviation = lowerMedian(values.map((value) => Math.abs(value - middle)))
  return Math.min(most, Math.max(least, middle + 6 * deviation))
}

/** Of an even number the lower of the middle two; 0 of none. */
export function lowerMedian(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? 0
}
