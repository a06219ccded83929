import { PotluckError } from '@potluck/protocol'
import { payByContribution } from './payByContribution.ts'

/** Money of one run, in the smallest unit of the job's token. */
export type ContributionTerms = {
  /** Divided by scores when the run ends. */
  readonly pot: bigint
  /** Paid by each participant, whatever it sends: transactions, and the price of the capital in its bond. */
  readonly fee: bigint
  /** Locked by each participant; burned when recomputation proves that its work is not its own. */
  readonly bond: bigint
}

export type Settlement = {
  readonly paid: readonly bigint[]
  readonly burned: bigint
  /** Of the pot, what nobody earned. */
  readonly left: bigint
  /** What each participant has more than before, its costs of computing not counted. */
  readonly gained: readonly bigint[]
}

/**
 * The end of a run (L-62): who was caught loses the bond and earns nothing, the others divide the pot by their scores. Pot, fees and
 * bonds are conserved to the unit: pot = paid + left, and what participants lose is fees and burned bonds.
 *
 * @param caught participants whose work an audit has disproved; a finding alone does not catch
 * @throws PotluckError BAD_CONTRIBUTION
 */
export function settleContribution(
  scores: readonly number[],
  { pot, fee, bond }: ContributionTerms,
  caught: ReadonlySet<number>,
): Settlement {
  if (fee < 0n || bond < 0n) {
    throw new PotluckError('BAD_CONTRIBUTION', `fee ${fee} and bond ${bond} must not be negative`)
  }
  const counted = scores.map((score, i) => (caught.has(i) ? 0 : score))
  const { paid, left } = payByContribution(counted, pot)
  const lost = (i: number): bigint => fee + (caught.has(i) ? bond : 0n)
  return {
    paid,
    left,
    burned: bond * BigInt(scores.filter((_, i) => caught.has(i)).length),
    gained: paid.map((amount, i) => amount - lost(i)),
  }
}
