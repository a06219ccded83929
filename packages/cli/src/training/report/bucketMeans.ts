/** Means of at most `most` parts of a series, equally long up to one; the series itself when it is shorter. */
export function bucketMeans(values: readonly number[], most: number): number[] {
  const parts = Math.min(most, values.length)
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * values.length) / parts)
    const to = Math.floor(((part + 1) * values.length) / parts)
    let sum = 0
    for (let i = from; i < to; i++) sum += values[i]!
    return sum / (to - from)
  })
}
