/**
 * How alike two vectors are beyond what they share with everybody else: the correlation of what is left of both when their part along the
 * sum of the others is taken away. Honest updates of one round have their progress in common and little besides; a copy has it all.
 *
 *   ρ_ab = (g_ab − x·y) / √((1 − x²)(1 − y²)),   x = ⟨û_a, m̂⟩,  y = ⟨û_b, m̂⟩,  m = Σ of the unit vectors of `among` other than a and b
 *
 * @param gram  [n, n] inner products of unit vectors, row by row
 * @param among whose sum stands for everybody; where none is left it is the plain cosine
 *
 * Order: f64 sums over `among` as given. Cost: n·|among| additions, then a handful for each pair.
 */
export function likenessOf(gram: Float64Array, n: number, among: readonly number[]): (a: number, b: number) => number {
  const isAmong = new Set(among)
  const sums = Array.from({ length: n }, (_, a) => among.reduce((sum, k) => sum + gram[a * n + k]!, 0))
  const whole = among.reduce((sum, k) => sum + sums[k]!, 0)
  return (a, b) => {
    const [self, other, both] = [gram[a * n + a]!, gram[b * n + b]!, gram[a * n + b]!]
    const [hasA, hasB] = [isAmong.has(a) ? 1 : 0, isAmong.has(b) ? 1 : 0]
    const alongA = sums[a]! - hasA * self - hasB * both
    const alongB = sums[b]! - hasB * other - hasA * both
    const square = whole - hasA * (2 * sums[a]! - self) - hasB * (2 * sums[b]! - other) + 2 * hasA * hasB * both
    const length = Math.sqrt(Math.max(square, 0))
    const [x, y] = length > 1e-6 ? [alongA / length, alongB / length] : [0, 0]
    // What lies along the others up to rounding has nothing left to be alike in.
    const left = Math.max(self - x * x, 0) * Math.max(other - y * y, 0)
    return left > 1e-12 ? Math.max(-1, Math.min(1, (both - x * y) / Math.sqrt(left))) : 0
  }
}
