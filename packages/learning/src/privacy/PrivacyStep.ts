import { PotluckError } from '@potluck/protocol'

/**
 * `steps` releases of a sum over a random part of the protected units (rows, or whole clients), each made with Gaussian
 * noise of standard deviation `noise` times what one unit can add.
 */
export type PrivacyStep = {
  /** Noise multiplier σ: standard deviation over the clip. From 0.05 to 10,000. */
  readonly noise: number
  /** Probability q with which each unit, by a secret coin of its own, takes part in a release. Above 0, at most 1; 1: always. */
  readonly rate: number
  /** How many such releases. Whole, from 1 to 10 million. */
  readonly steps: number
}

/** Below this ε is in the hundreds: no noise worth the name, and e^ε leaves f64. */
export const LEAST_NOISE = 0.05
export const MOST_NOISE = 10_000
const MOST_STEPS = 10_000_000

/** Throws BAD_PRIVACY with the field, what it must be and the value seen. */
export function checkPrivacySteps(steps: readonly PrivacyStep[]): void {
  if (steps.length === 0) refuse('steps', 'at least one kind of release', '0')
  for (const { noise, rate, steps: count } of steps) {
    if (!(noise >= LEAST_NOISE && noise <= MOST_NOISE)) {
      refuse('noise', `a multiplier from ${LEAST_NOISE} to ${MOST_NOISE}: less protects nobody`, noise)
    }
    if (!(rate > 0 && rate <= 1)) refuse('rate', 'above 0 and at most 1', rate)
    if (!Number.isSafeInteger(count) || count < 1 || count > MOST_STEPS) {
      refuse('steps', `whole, from 1 to ${MOST_STEPS}`, count)
    }
  }
}

export function checkDelta(delta: number): void {
  if (!(delta > 0 && delta < 1)) refuse('delta', 'above 0 and below 1', delta)
}

export function checkEpsilon(epsilon: number): void {
  if (!(epsilon > 0 && epsilon < Number.POSITIVE_INFINITY)) refuse('epsilon', 'above 0', epsilon)
}

function refuse(field: string, allowed: string, value: number | string): never {
  throw new PotluckError('BAD_PRIVACY', `${field} must be ${allowed}; got ${value}`, { field, value })
}
