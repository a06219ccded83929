import { exactExp64, exactLog64 } from '@potluck/engine'
import { logErfc } from './normalTail.ts'
import { checkPrivacySteps } from './PrivacyStep.ts'

/**
 * The exact δ of one Gaussian release with everybody in it; T releases with noise σ are one with noise σ/√T.
 *
 *   δ = Φ(1/(2σ) − εσ) − e^ε Φ(−1/(2σ) − εσ)
 *
 * @throws PotluckError BAD_PRIVACY
 *
 * Relative error grows where both terms are close; absolute error below 1e-15. Source: arXiv:1805.06530, theorem 8.
 */
export function gaussianDelta(noise: number, epsilon: number): number {
  checkPrivacySteps([{ noise, rate: 1, steps: 1 }])
  const half = Math.sqrt(0.5)
  const logTail = (z: number): number => exactLog64(0.5) + logErfc(z * half)
  const gained = exactExp64(logTail(epsilon * noise - 1 / (2 * noise)))
  const paid = exactExp64(epsilon + logTail(epsilon * noise + 1 / (2 * noise)))
  return Math.max(0, gained - paid)
}
