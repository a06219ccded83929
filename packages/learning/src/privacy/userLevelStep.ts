import { PotluckError } from '@potluck/protocol'
import type { PrivacyStep } from './PrivacyStep.ts'

/** A federated run in which whole clients are protected: each update is clipped, the sum of a round gets noise. */
export type FederatedPrivacy = {
  /** All clients that may take part. */
  readonly clients: number
  /** How many take part in a round. */
  readonly perRound: number
  readonly rounds: number
  /** Standard deviation of the noise in the sum over the clip of one client's update. */
  readonly noise: number
  /**
   * `public`: others see who takes part in which round, as on this network. Being left out then hides nothing, and a client pays
   * in full for each round it takes part in. `secret`: each client tosses its own coin in secret, with probability
   * perRound / clients, and nobody learns how it fell; only then does sampling amplify.
   */
  readonly participation: 'public' | 'secret'
  /** With `public`: the most rounds any one client takes part in. Default all. */
  readonly roundsEach?: number
}

/**
 * What a federated run counts as for the accountants, with one client as the protected unit (L-55).
 *
 * @throws PotluckError BAD_PRIVACY
 */
export function userLevelStep(run: FederatedPrivacy): PrivacyStep {
  const { clients, perRound, rounds, noise, participation, roundsEach = rounds } = run
  const whole = Object.entries({ clients, perRound, rounds, roundsEach })
  const bad = whole.find(([, value]) => !Number.isSafeInteger(value) || value < 1)
  if (bad || perRound > clients || roundsEach > rounds) {
    throw new PotluckError(
      'BAD_PRIVACY',
      `expected whole numbers of at least 1 with perRound ≤ clients and roundsEach ≤ rounds; got ${whole.map(([name, value]) => `${name} ${value}`).join(', ')}`,
      { clients, perRound, rounds, roundsEach },
    )
  }
  if (participation === 'public') return { noise, rate: 1, steps: roundsEach }
  return { noise, rate: perRound / clients, steps: rounds }
}
