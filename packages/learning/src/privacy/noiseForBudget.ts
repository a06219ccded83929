import { exactExp64, exactLog64 } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { checkEpsilon, LEAST_NOISE, MOST_NOISE, type PrivacyStep } from './PrivacyStep.ts'
import { pldEpsilon } from './pldEpsilon.ts'
import { rdpEpsilon } from './rdpEpsilon.ts'

export type NoiseBudget = {
  readonly epsilon: number
  readonly delta: number
  readonly rate: number
  readonly steps: number
}

/** How near the noise comes to the least possible one, as a part of it. */
const NEARNESS = 1e-7
/** A grid that widens the loss by this part of its variance: never too little noise, and a fraction of the time. */
const COARSE = 1e-3

/**
 * The least noise multiplier, within a tenth of a millionth, rounded up, with which `steps` releases at `rate` stay within ε and δ.
 *
 * @param accountant `pld`: less noise for the same promise, some seconds; `rdp`: at once, some per cent more noise
 * @throws PotluckError BAD_PRIVACY; NO_SUCH_NOISE when even the most noise allowed is not enough; DELTA_TOO_SMALL
 */
export function noiseForBudget(budget: NoiseBudget, accountant: 'pld' | 'rdp' = 'pld'): number {
  const { epsilon, delta, rate, steps } = budget
  checkEpsilon(epsilon)
  const one = (noise: number): PrivacyStep[] => [{ noise, rate, steps }]
  const byRdp = (noise: number): number => rdpEpsilon(one(noise), delta).epsilon
  if (byRdp(MOST_NOISE) > epsilon) {
    throw new PotluckError(
      'NO_SUCH_NOISE',
      `ε = ${epsilon} needs a noise multiplier above ${MOST_NOISE}: fewer steps, a lower rate, or a larger ε or δ`,
      { epsilon, delta, rate, steps },
    )
  }
  const high = leastNoise(byRdp, epsilon, LEAST_NOISE, MOST_NOISE)
  if (accountant === 'rdp') return high
  const byPld = (widening?: number) => (noise: number) => pldEpsilon(one(noise), delta, widening)
  const near = leastNoise(byPld(COARSE), epsilon, Math.max(LEAST_NOISE, high / 2), high)
  return leastNoise(byPld(), epsilon, Math.max(LEAST_NOISE, near * (1 - 1e-3)), near)
}

/**
 * The least noise whose ε stays within `target`: secants on ln ε over ln σ inside a closing bracket, the last guess moved half the
 * nearness to the safe side. What is returned was itself evaluated.
 *
 * @param high a noise that is enough
 */
function leastNoise(epsilonOf: (noise: number) => number, target: number, low: number, high: number): number {
  // Where no ε is left to speak of, any number of the right sign will do.
  const off = (noise: number): number => exactLog64(Math.max(epsilonOf(noise), 1e-12) / target)
  let least = low
  let enough = high
  let before = { at: exactLog64(high), off: off(high) }
  let now = { at: exactLog64(low), off: off(low) }
  while (now.off <= 0) {
    if (least === LEAST_NOISE) return least
    enough = least
    before = now
    least = Math.max(LEAST_NOISE, least / 2)
    now = { at: exactLog64(least), off: off(least) }
  }
  for (let i = 0; i < 100 && enough - least > NEARNESS * enough; i++) {
    const slope = (now.off - before.off) / (now.at - before.at)
    const secant = exactExp64(now.at - now.off / slope)
    const isInside = secant > least && secant < enough && i % 8 !== 7
    const aimed = (isInside ? secant : Math.sqrt(least * enough)) * (1 + NEARNESS / 2)
    // Near enough to the safe end already: ask just below it, which ends the search.
    const noise = aimed < enough ? aimed : enough * (1 - NEARNESS / 2)
    before = now
    now = { at: exactLog64(noise), off: off(noise) }
    if (now.off > 0) least = noise
    else enough = noise
  }
  return enough
}
