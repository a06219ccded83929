import { exactExp64, exactLog64 } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { composeLosses, type LossDistribution } from './composeLosses.ts'
import { checkDelta, type PrivacyStep } from './PrivacyStep.ts'

/**
 * The smallest ε that the distribution of the privacy loss proves for `delta`: tighter than Rényi divergences, and never below the
 * true value but for rounding, for which an allowance is added to δ (L-54).
 *
 * @throws PotluckError BAD_PRIVACY; DELTA_TOO_SMALL when that allowance is as large as `delta`
 */
export function pldEpsilon(steps: readonly PrivacyStep[], delta: number, widening?: number): number {
  checkDelta(delta)
  const { remove, add } = composeLosses(steps, widening)
  return Math.max(0, epsilonOf(remove, delta), epsilonOf(add, delta))
}

/** The smallest δ for `epsilon`, at most 1; sources of error as for `pldEpsilon`. */
export function pldDelta(steps: readonly PrivacyStep[], epsilon: number, widening?: number): number {
  const { remove, add } = composeLosses(steps, widening)
  return Math.min(1, Math.max(deltaOf(remove, epsilon), deltaOf(add, epsilon)))
}

/** δ = Σ over losses above ε of p·(1 − e^(ε − loss)), from the largest loss down. */
function deltaOf({ spacing, start, mass, extra }: LossDistribution, epsilon: number): number {
  let sum = 0
  for (let i = mass.length - 1; i >= 0; i--) {
    const loss = (start + i) * spacing
    if (loss <= epsilon) break
    sum += mass[i]! * (1 - exactExp64(epsilon - loss))
  }
  return sum + extra
}

function epsilonOf({ spacing, start, mass, extra }: LossDistribution, delta: number): number {
  const wanted = delta - extra
  if (!(wanted > 0)) {
    throw new PotluckError(
      'DELTA_TOO_SMALL',
      `δ = ${delta} is below the ${extra} that this accountant adds for rounding: take a larger δ, or the RDP bound`,
      { delta, extra },
    )
  }
  const kept = exactExp64(-spacing)
  const lost = 1 - kept
  let above = 0
  let deltaHere = 0
  // From the top: `deltaHere` is δ at the loss of index i, `above` the mass over it.
  for (let i = mass.length - 1; i >= 0; i--) {
    const withThis = above + mass[i]!
    const next = withThis * lost + kept * deltaHere
    if (next > wanted) {
      // Between i − 1 and i: δ(ε) = A − (A − δ_i)·e^(ε − loss_i), A the mass from i on.
      return (start + i) * spacing + exactLog64((withThis - wanted) / (withThis - deltaHere))
    }
    above = withThis
    deltaHere = next
  }
  return (start - 1) * spacing
}
