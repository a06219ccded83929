/** c[0] + x·(c[1] + x·(c[2] + …)) in f32, from the highest power down, each product and sum rounded. */
export function polynomial(x: number, coefficients: readonly number[]): number {
  let sum = Math.fround(coefficients.at(-1) ?? 0)
  for (let i = coefficients.length - 2; i >= 0; i--) sum = Math.fround(Math.fround(sum * x) + coefficients[i]!)
  return sum
}
