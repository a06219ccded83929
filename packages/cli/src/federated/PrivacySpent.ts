import {
  describeEpsilon,
  drawMembers,
  type FederatedOptions,
  type PrivacyStep,
  pldEpsilon,
  rdpEpsilon,
  userLevelStep,
} from '@potluck/learning'
import { codeOf, PotluckError } from '@potluck/protocol'
import type { FederatedFacts } from './report/FederatedFacts.ts'

/** Chance with which the promise may fail, unless said otherwise. */
export const USUAL_DELTA = 1e-5

/** What a run with noise has given away of any one client. Who takes part is public, so each round a client is in counts in full. */
export class PrivacySpent {
  readonly #options: FederatedOptions
  readonly #multiplier: number
  readonly #delta: number
  /** Rounds of each client. */
  readonly #counts: number[]
  /** ε by the most rounds any client took part in. */
  readonly #known = new Map<number, number>()

  /** @param before the rounds done when the run is resumed */
  constructor(options: FederatedOptions, delta: number, before: number) {
    this.#options = options
    this.#multiplier = options.noise?.multiplier ?? 0
    this.#delta = delta
    this.#counts = options.clients.map(() => 0)
    for (let round = 1; round <= before; round++) this.#count(membersOf(options, round))
  }

  /** ε after one more round with these members. */
  add(members: readonly number[]): number {
    this.#count(members)
    return this.#epsilonOf(Math.max(...this.#counts))
  }

  /** ε of the whole run, before it begins. */
  atEnd(): number {
    const counts = this.#options.clients.map(() => 0)
    for (let round = 1; round <= this.#options.rounds; round++)
      for (const member of membersOf(this.#options, round)) counts[member]! += 1
    return this.#epsilonOf(Math.max(...counts))
  }

  /** What was spent, in numbers and words. */
  facts(parameters: number): NonNullable<FederatedFacts['privacy']> {
    const { clients, perRound = clients.length } = this.#options
    const epsilon = this.#epsilonOf(Math.max(1, ...this.#counts))
    const setting = { members: clients.length, parameters, noise: this.#multiplier, perRound }
    const { meaning, warnings } = describeEpsilon(epsilon, this.#delta, setting)
    return { epsilon, delta: this.#delta, words: [meaning, ...warnings] }
  }

  #count(members: readonly number[]): void {
    for (const member of members) this.#counts[member]! += 1
  }

  #epsilonOf(roundsEach: number): number {
    const known = this.#known.get(roundsEach)
    if (known !== undefined) return known
    const { clients, perRound = clients.length, rounds } = this.#options
    const step = userLevelStep({
      clients: clients.length,
      perRound,
      rounds: Math.max(rounds, roundsEach),
      noise: this.#multiplier,
      participation: 'public',
      roundsEach,
    })
    const epsilon = epsilonOf(step, this.#delta)
    this.#known.set(roundsEach, epsilon)
    return epsilon
  }
}

const membersOf = ({ seed, clients, perRound = clients.length }: FederatedOptions, round: number): number[] =>
  drawMembers(seed, round, clients.length, perRound)

/** The smaller of two upper bounds. */
function epsilonOf(step: PrivacyStep, delta: number): number {
  const { epsilon } = rdpEpsilon([step], delta)
  try {
    return Math.min(epsilon, pldEpsilon([step], delta))
  } catch (error) {
    // Below the rounding of the other accountant: the first one's bound holds on its own.
    if (codeOf(error) === 'DELTA_TOO_SMALL') return epsilon
    throw error
  }
}

/**
 * The account of a run with noise; undefined without.
 *
 * @param most ε that the run may spend in all
 * @throws PotluckError OVER_BUDGET before anything is trained; BAD_USAGE for a budget without noise; BAD_PRIVACY
 */
export function openPrivacy(
  options: FederatedOptions,
  {
    delta = USUAL_DELTA,
    epsilon: most,
  }: { readonly delta?: number | undefined; readonly epsilon?: number | undefined },
  before: number,
): PrivacySpent | undefined {
  if (!options.noise) {
    if (most === undefined && delta === USUAL_DELTA) return undefined
    const message = `${most === undefined ? '--delta' : '--epsilon'} is about noise, and none was asked for: name it with --noise CLIP/MULTIPLIER`
    throw new PotluckError('BAD_USAGE', message)
  }
  const spent = new PrivacySpent(options, delta, before)
  const end = spent.atEnd()
  if (most !== undefined && end > most) {
    const message = `${options.rounds} rounds with a noise multiplier of ${options.noise.multiplier} would spend ε ${end.toPrecision(4)} at δ ${delta}, ${most} may be spent: take fewer --rounds, fewer clients a round, or more noise (potluck privacy sigma says how much)`
    throw new PotluckError('OVER_BUDGET', message, { epsilon: end, most })
  }
  return spent
}
