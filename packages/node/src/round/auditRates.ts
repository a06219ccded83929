import { auditProbability } from '@potluck/learning'
import type { AuditPolicy, Claim } from '@potluck/protocol'
import type { PayLeaf } from './payouts.ts'

/** One and a half times the bare bound: the margin of design 4.3. */
const MARGIN_PPM = 1_500_000
const FLOOR_PPM = 50_000
const E18 = 10n ** 18n

export type RateTerms = {
  policy: AuditPolicy
  /** Bond that a wrong claim loses, in SALT wei, and pay of a share, in token units. */
  bondSalt: bigint
  sharePay: bigint
  /** Cumulative pay before this round: tells who is new. */
  paidBefore: readonly PayLeaf[]
  /** A validator did not reveal: it may have steered the draw, so the round is audited at twice the rate (P-47). */
  beaconMissing: boolean
}

/** The chance of an audit for each claim, in millionths: from bond, pay and the worker's record, the same on every machine (P-47). */
export function auditRates(claims: readonly Claim[], terms: RateTerms): number[] {
  const { policy, bondSalt, sharePay, paidBefore } = terms
  // Half of a slash is burned, rounded up; what reaches others may reach the cheat's friends and deters nobody.
  const burnedStake = (((bondSalt + 1n) / 2n) * policy.saltPriceE18) / E18
  return claims.map(({ worker }) => {
    const paid = paidBefore.find(({ account }) => account === worker)?.amount ?? 0n
    const rate = auditProbability(
      {
        reward: sharePay,
        gain: (sharePay * BigInt(policy.gainPpm)) / 1_000_000n,
        burnedStake,
        colludingSharePpm: policy.colludingPpm,
        auditors: policy.auditors,
      },
      { marginPpm: MARGIN_PPM, floorPpm: FLOOR_PPM, isNew: paid < sharePay * BigInt(policy.newClaims) },
    )
    return Math.min(1_000_000, terms.beaconMissing ? 2 * rate : rate)
  })
}
