import type { Hex } from '@potluck/protocol'

export type PayLeaf = { account: Hex; amount: bigint }
export type PaidClaim = { worker: Hex; accepted: boolean }

/** What one accepted share of a round is paid, rounded down; what is not earned goes back to the builder at the end. */
export const sharePayDown = (payPerRound: bigint, shares: number): bigint => payPerRound / BigInt(shares)

/**
 * Cumulative pay after a round: the leaves before it, in the same order, plus one equal part for every accepted claim (P-50).
 * New workers are added at the end, so that an account keeps its index for the whole job. Sums never shrink: a worker who is
 * expelled later keeps what was accepted before.
 */
export function payoutsAfter(before: readonly PayLeaf[], claims: readonly PaidClaim[], sharePay: bigint): PayLeaf[] {
  const leaves = before.map((leaf) => ({ ...leaf }))
  for (const { worker, accepted } of claims) {
    if (!accepted) continue
    const leaf = leaves.find(({ account }) => account === worker)
    if (leaf) leaf.amount += sharePay
    else leaves.push({ account: worker, amount: sharePay })
  }
  return leaves
}
