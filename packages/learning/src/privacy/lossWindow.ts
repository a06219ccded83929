import { exactLog64 } from '@potluck/engine'
import type { PrivacyStep } from './PrivacyStep.ts'
import { lossCumulant } from './privacyLoss.ts'

export type LossWindow = {
  readonly low: number
  readonly high: number
  /** The exponent t of Chernoff's bound that gave `high`. */
  readonly exponent: number
}

/**
 * Between which losses the sum over all steps lies but for a probability of about `tail` on each side, by Chernoff:
 * P(S > high) ≤ e^(K(t) − t·high) with K the summed cumulants.
 *
 * @param direction whether the protected unit is removed (losses under the mixture) or added
 */
export function lossWindow(steps: readonly PrivacyStep[], direction: 'remove' | 'add', tail: number): LossWindow {
  const room = -exactLog64(tail)
  const cumulant = (t: number): number =>
    steps.reduce((sum, step) => sum + step.steps * lossCumulant(step, direction === 'remove' ? t + 1 : -t), 0)
  // Any exponent gives a true bound; larger ones than these cost time and tighten only sums of many small losses.
  const most = 32 + 320 * Math.max(...steps.map(({ noise }) => noise))
  const above = leastOver((t) => (cumulant(t) + room) / t, most)
  const below = leastOver((t) => (cumulant(-t) + room) / t, most)
  return { low: -below.value, high: above.value, exponent: above.at }
}

/** The least value over 0 < t ≤ `most`: the best of the powers of two, then thirds around it. A mixture may have two valleys. */
function leastOver(f: (t: number) => number, most: number): { at: number; value: number } {
  let [best, least] = [0, Number.POSITIVE_INFINITY]
  for (let t = 1 / 1024; t <= most; t *= 2) {
    const value = f(t)
    if (value < least) [best, least] = [t, value]
  }
  let [low, high] = [best / 2, Math.min(most, 2 * best)]
  for (let i = 0; i < 12; i++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3]
    if (f(a) < f(b)) high = b
    else low = a
  }
  const at = (low + high) / 2
  return { at, value: f(at) }
}

/** Mean of the variance of one loss over all steps, the smaller of both directions: what the grid must resolve. */
export function lossVariance(steps: readonly PrivacyStep[]): number {
  const count = steps.reduce((sum, step) => sum + step.steps, 0)
  // Second differences of the cumulants at s = 0 and s = 1, wide enough to keep their digits.
  const d = 1 / 64
  const curve = (step: PrivacyStep, s: number): number =>
    (lossCumulant(step, s + d) - 2 * lossCumulant(step, s) + lossCumulant(step, s - d)) / (d * d)
  const sum = (s: number): number => steps.reduce((total, step) => total + step.steps * curve(step, s), 0)
  return Math.min(sum(0), sum(1)) / count
}
