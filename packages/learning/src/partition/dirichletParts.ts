import { exactExp64, exactLog64, type RandomStream } from '@potluck/engine'

/**
 * One draw from the symmetric Dirichlet distribution: `count` parts ≥ 0 that sum to 1 up to rounding.
 *
 *   parts_i = g_i / Σ g,   g_i ~ Gamma(alpha)
 *
 * In logarithms throughout, so that a tiny alpha, where every g_i would underflow to 0, still gives parts.
 *
 * Order: numbers of `random` are used one after the other, clients in order; sums from left to right, f64.
 */
export function dirichletParts(random: RandomStream, count: number, alpha: number): Float64Array {
  let used = 0
  const uniform = (): number => {
    // 53 bits; half a step up, so that it is neither 0 nor 1.
    const high = random.word(used) >>> 5
    const low = random.word(used + 1) >>> 6
    used += 2
    return (high * 67_108_864 + low + 0.5) / 9_007_199_254_740_992
  }
  const logs = Float64Array.from({ length: count }, () => logGamma(uniform, alpha))
  const most = logs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const parts = logs.map((log) => exactExp64(log - most))
  const sum = parts.reduce((a, b) => a + b, 0)
  return parts.map((part) => part / sum)
}

/**
 * The logarithm of a Gamma(alpha) number by squeeze and rejection; below alpha 1 as Gamma(alpha + 1) · u^(1/alpha).
 *
 * Source: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000), without the squeeze, which only saves time.
 */
function logGamma(uniform: () => number, alpha: number): number {
  if (alpha < 1) return logGamma(uniform, alpha + 1) + exactLog64(uniform()) / alpha
  const d = alpha - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(uniform)
    const root = 1 + c * x
    if (root <= 0) continue
    const v = root * root * root
    if (exactLog64(uniform()) < 0.5 * x * x + d - d * v + d * exactLog64(v)) return exactLog64(d) + exactLog64(v)
  }
}

/** A standard normal number by Marsaglia's polar method: full tails, unlike `RandomStream.normal`. */
function normal(uniform: () => number): number {
  for (;;) {
    const a = 2 * uniform() - 1
    const b = 2 * uniform() - 1
    const square = a * a + b * b
    if (square > 0 && square < 1) return a * Math.sqrt((-2 * exactLog64(square)) / square)
  }
}
