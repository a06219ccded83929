/** Ranks from 1; equal values share the mean of theirs. */
export function ranksOf(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length
    const equal = values.filter((other) => other === value).length
    return below + (equal + 1) / 2
  })
}

/** Spearman's rank correlation, −1 to 1; 0 when one side has one value only. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [centred(ranksOf(a)), centred(ranksOf(b))]
  const product = (u: readonly number[], v: readonly number[]): number => u.reduce((sum, p, i) => sum + p * v[i]!, 0)
  const norm = Math.sqrt(product(x, x) * product(y, y))
  return norm > 0 ? product(x, y) / norm : 0
}

/** Mean and its standard error. */
export function meanAndError(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const square = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0)
  return { mean, error: Math.sqrt(square / (values.length - 1) / values.length) }
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value - mean)
}
