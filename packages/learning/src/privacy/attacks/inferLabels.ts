/**
 * The classes of the rows in a summed gradient, from the bias of the last layer. A row adds p − 1 at its own class and p ≥ 0 elsewhere,
 * so a class below 0 is there for certain; how often is guessed from what one row takes away on average. Right for one row always;
 * for more only as long as the model gives every class about the same p.
 *
 * @param slopes one number a class; any positive multiple of the gradient serves
 * @param rows   how many were summed
 * @returns ascending
 *
 * Source: Zhao et al., arXiv:2001.02610, for one row; Wainakh et al., arXiv:2105.09369, algorithm 1, for sums.
 */
export function inferLabels(slopes: Float32Array, rows: number): number[] {
  const left = Float64Array.from(slopes)
  const below = slopes.reduce((sum, slope) => sum + Math.min(0, slope), 0)
  const ofOneRow = (below / rows) * (1 + 1 / slopes.length)
  const certain = [...slopes.keys()].filter((c) => slopes[c]! < 0).toSorted((a, b) => slopes[a]! - slopes[b]!)
  const labels = certain.slice(0, rows)
  for (const c of labels) left[c]! -= ofOneRow
  while (labels.length < rows) {
    const lowest = left.indexOf(Math.min(...left))
    labels.push(lowest)
    left[lowest]! -= ofOneRow
  }
  return labels.toSorted((a, b) => a - b)
}
