import { exactExp64, exactLog64 } from '@potluck/engine'
import { logErfc } from './normalTail.ts'
import type { PrivacyStep } from './PrivacyStep.ts'

/** e^-34 of the sum is below its last bit. */
const NEGLIGIBLE = 34
// biome-ignore lint/suspicious/noApproximativeNumericConstant: pinned here, not by the platform
const LOG_HALF = -0.6931471805599453

/**
 * Rényi divergence of order `order` of one release: the Gaussian mechanism on a Poisson sample.
 *
 *   D_α = ln A_α / (α − 1),  A_α = E_{z~N(0,σ²)} [(1 − q + q e^((2z−1)/(2σ²)))^α]
 *
 * Integer α: A = Σ_k C(α,k) (1−q)^(α−k) q^k e^((k²−k)/(2σ²)). Fractional α: the binomial series on either side of the
 * point where both terms of the base are equal, each term a Gaussian integral over a half line. The larger of the two
 * directions of adjacency is this one. q = 1: α / (2σ²).
 *
 * @param order above 1
 *
 * Relative error below 1e-12 where the divergence is above 1e-6. Source: arXiv:1908.10530, sections 3.2 and 3.3.
 */
export function renyiDivergence({ noise, rate }: Pick<PrivacyStep, 'noise' | 'rate'>, order: number): number {
  if (rate === 1) return order / (2 * noise * noise)
  const logMoment = Number.isInteger(order) ? integerMoment(noise, rate, order) : fractionalMoment(noise, rate, order)
  return Math.max(0, logMoment) / (order - 1)
}

function integerMoment(noise: number, rate: number, order: number): number {
  const [logRate, logRest] = [exactLog64(rate), exactLog64(1 - rate)]
  const logs: number[] = []
  let logBinomial = 0
  for (let k = 0; k <= order; k++) {
    logs.push(logBinomial + (order - k) * logRest + k * logRate + (k * k - k) / (2 * noise * noise))
    if (k < order) logBinomial += exactLog64((order - k) / (k + 1))
  }
  return logOfSum(logs, [])
}

function fractionalMoment(noise: number, rate: number, order: number): number {
  const [logRate, logRest] = [exactLog64(rate), exactLog64(1 - rate)]
  const middle = noise * noise * (logRest - logRate) + 0.5
  const scale = 1 / (Math.sqrt(2) * noise)
  const [added, taken]: [number[], number[]] = [[], []]
  let logBinomial = 0
  let isPositive = true
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0; ; i++) {
    const rest = order - i
    // Below the middle 1 − q leads, above it q·e^…: the powers change places.
    const below = i * logRate + rest * logRest + (i * i - i) / (2 * noise * noise) + logErfc((i - middle) * scale)
    const above =
      rest * logRate + i * logRest + (rest * rest - rest) / (2 * noise * noise) + logErfc((middle - rest) * scale)
    const into = isPositive ? added : taken
    into.push(logBinomial + LOG_HALF + below, logBinomial + LOG_HALF + above)
    const now = logBinomial + Math.max(below, above)
    largest = Math.max(largest, now)
    if (i > order && now < largest - NEGLIGIBLE) return logOfSum(added, taken)
    const factor = rest / (i + 1)
    if (factor < 0) isPositive = !isPositive
    logBinomial += exactLog64(Math.abs(factor))
  }
}

/** ln(Σ e^added − Σ e^taken), smallest terms first. */
function logOfSum(added: readonly number[], taken: readonly number[]): number {
  const most = Math.max(...added)
  const sum = (logs: readonly number[]): number =>
    logs.toSorted((a, b) => a - b).reduce((total, log) => total + exactExp64(log - most), 0)
  return most + exactLog64(sum(added) - sum(taken))
}
