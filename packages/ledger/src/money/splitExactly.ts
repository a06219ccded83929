/**
 * `total` in parts proportional to `weights`, whole units that add up to `total`.
 *
 * Each part is rounded down; what is left over goes one unit at a time to the largest remainders, the earlier one first on a tie. The
 * same input gives the same parts everywhere. All weights 0: all parts 0, and the caller shows the rest as unexplained.
 *
 * @param total at least 0
 * @param weights each at least 0
 */
export function splitExactly(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((a, b) => a + b, 0n)
  if (sum === 0n) return weights.map(() => 0n)
  const parts = weights.map((weight) => (total * weight) / sum)
  const left = Number(total - parts.reduce((a, b) => a + b, 0n))
  const byRemainder = weights
    .map((weight, i) => ({ i, remainder: (total * weight) % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.i - b.i : a.remainder < b.remainder ? 1 : -1))
  for (const { i } of byRemainder.slice(0, left)) parts[i] = (parts[i] as bigint) + 1n
  return parts
}
