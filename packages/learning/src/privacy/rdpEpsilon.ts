import { exactLog64 } from '@potluck/engine'
import { checkDelta, checkPrivacySteps, type PrivacyStep } from './PrivacyStep.ts'
import { renyiDivergence } from './renyiDivergence.ts'

export type RdpBound = {
  readonly epsilon: number
  /** The order that gave it. */
  readonly order: number
}

/** 1.1 to 10.9 in steps of 0.1 and 12 to 63, as the common accountants have it; then further out, for small ε. */
export const defaultOrders: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => (i + 11) / 10),
  ...Array.from({ length: 52 }, (_, i) => i + 12),
  ...[72, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512, 768, 1024],
]

/**
 * The smallest ε that Rényi divergences prove for `delta`, over all steps together; divergences of one order add up (L-53).
 *
 * @throws PotluckError BAD_PRIVACY
 */
export function rdpEpsilon(
  steps: readonly PrivacyStep[],
  delta: number,
  orders: readonly number[] = defaultOrders,
): RdpBound {
  checkPrivacySteps(steps)
  const total = (order: number): number =>
    steps.reduce((sum, step) => sum + step.steps * renyiDivergence(step, order), 0)
  return epsilonOfDivergences(orders, orders.map(total), delta)
}

/**
 * The smallest ε over orders α with divergence D:  ε = D + ln((α−1)/α) − (ln δ + ln α)/(α−1), at least 0.
 *
 * @throws PotluckError BAD_PRIVACY
 *
 * Source: Balle et al. 2020 (arXiv:1905.09982, theorem 21).
 */
export function epsilonOfDivergences(
  orders: readonly number[],
  divergences: readonly number[],
  delta: number,
): RdpBound {
  checkDelta(delta)
  let best: RdpBound = { epsilon: Number.POSITIVE_INFINITY, order: orders[0] ?? Number.NaN }
  orders.forEach((order, i) => {
    const logs = (exactLog64(delta) + exactLog64(order)) / (order - 1)
    const epsilon = Math.max(0, divergences[i]! - logs + exactLog64((order - 1) / order))
    if (epsilon < best.epsilon) best = { epsilon, order }
  })
  return best
}
