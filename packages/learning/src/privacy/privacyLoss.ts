import { exactExp64, exactLog64 } from '@potluck/engine'
import type { PrivacyStep } from './PrivacyStep.ts'

export type Mechanism = Pick<PrivacyStep, 'noise' | 'rate'>

/**
 * The privacy loss of one release that gave `x`, in units of the clip, for a unit that adds 1:
 *
 *   L(x) = ln( ((1−q) N(x; 0, σ²) + q N(x; 1, σ²)) / N(x; 0, σ²) ) = ln(1 − q + q e^((2x−1)/(2σ²)))
 *
 * It rises with x, from ln(1 − q).
 */
export function privacyLoss({ noise, rate }: Mechanism, x: number): number {
  const exponent = (2 * x - 1) / (2 * noise * noise)
  if (rate === 1) return exponent
  const [apart, joined] = [exactLog64(1 - rate), exactLog64(rate) + exponent]
  return Math.max(apart, joined) + exactLog64(1 + exactExp64(-Math.abs(apart - joined)))
}

/** Where the loss is `loss`; −∞ at and below ln(1 − q). */
export function outputOfLoss({ noise, rate }: Mechanism, loss: number): number {
  const variance = noise * noise
  if (rate === 1) return variance * loss + 0.5
  const ratio = (exactExp64(loss) - 1 + rate) / rate
  return ratio > 0 ? variance * exactLog64(ratio) + 0.5 : Number.NEGATIVE_INFINITY
}

/**
 * ln E_{x~N(0,σ²)} e^(s·L(x)) for any real s, by the trapezoidal rule, which for such bells is right to 1e-9 and better.
 *
 * s − 1 = t gives the moments of the loss where a unit is removed (E_P e^(tL)), −s = t those where one is added.
 */
export function lossCumulant(of: Mechanism, s: number): number {
  const { noise } = of
  if (of.rate === 1) return (s * s - s) / (2 * noise * noise)
  // The integrand's bells stand at 0 and at s; its nearest singularity is πσ² off the real line.
  const width = Math.min(noise / 4, (noise * noise) / 2)
  const from = Math.min(0, s) - 10 * noise
  const count = Math.ceil((Math.abs(s) + 20 * noise) / width)
  const logs = new Float64Array(count + 1)
  let most = Number.NEGATIVE_INFINITY
  for (let i = 0; i <= count; i++) {
    const x = from + i * width
    const log = s * privacyLoss(of, x) - (x * x) / (2 * noise * noise)
    logs[i] = log
    most = Math.max(most, log)
  }
  const sum = logs.reduce((total, log) => total + exactExp64(log - most), 0)
  return most + exactLog64((sum * width) / (noise * ROOT_TWO_PI))
}

/** √(2π). */
const ROOT_TWO_PI = 2.5066282746310002
