import { describeEpsilon, noiseForBudget, pldEpsilon, rdpEpsilon } from '@potluck/learning'
import { codeOf } from '@potluck/protocol'
import type { Printed } from './printed.ts'

export type EpsilonOptions = { sigma: number; rate: number; steps: number; delta: number; members?: number }
export type SigmaOptions = { epsilon: number; rate: number; steps: number; delta: number; members?: number }

/** `potluck privacy epsilon`: both bounds, the tighter one in words. */
export function privacyEpsilon({ sigma, rate, steps, delta, members }: EpsilonOptions): Printed {
  const step = { noise: sigma, rate, steps }
  const { epsilon: rdp, order } = rdpEpsilon([step], delta)
  const pld = pldOrNull(() => pldEpsilon([step], delta))
  const words = describeEpsilon(Math.min(rdp, pld ?? rdp), delta, { members })
  return {
    value: { rdp, pld, order, delta, ...words },
    lines: [
      pld === null
        ? `ε by the privacy loss distribution (PLD): none, δ = ${delta} is below its rounding`
        : `ε by the privacy loss distribution (PLD): ${rounded(pld)}`,
      `ε by Rényi divergences (RDP, order ${order}): ${rounded(rdp)}`,
      'Both are upper bounds; the smaller one counts.',
      words.meaning,
      ...words.warnings,
    ],
  }
}

/** `potluck privacy sigma`: the noise by both accountants; the smaller one keeps the promise. */
export function privacySigma({ epsilon, rate, steps, delta, members }: SigmaOptions): Printed {
  const budget = { epsilon, delta, rate, steps }
  const rdp = noiseForBudget(budget, 'rdp')
  const pld = pldOrNull(() => noiseForBudget(budget, 'pld'))
  const words = describeEpsilon(epsilon, delta, { members })
  return {
    value: { sigma: pld ?? rdp, rdp, pld, epsilon, delta, ...words },
    lines: [
      pld === null
        ? `noise multiplier by PLD: none, δ = ${delta} is below its rounding`
        : `noise multiplier by PLD: ${rounded(pld)}`,
      `noise multiplier by RDP: ${rounded(rdp)}`,
      `Either keeps ε at ${epsilon} and below for δ = ${delta} over ${steps} steps at rate ${rate}.`,
      words.meaning,
      ...words.warnings,
    ],
  }
}

function pldOrNull(compute: () => number): number | null {
  try {
    return compute()
  } catch (error) {
    if (codeOf(error) === 'DELTA_TOO_SMALL') return null
    throw error
  }
}

/** Rounded up in the fifth digit, so that what is shown is still a bound. */
function rounded(value: number): string {
  if (value === 0) return '0'
  let unit = 1
  while (unit > value / 10_000) unit /= 10
  while (unit * 10 <= value / 10_000) unit *= 10
  return String(Number((Math.ceil(value / unit) * unit).toPrecision(6)))
}
