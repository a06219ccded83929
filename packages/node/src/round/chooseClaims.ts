import type { Hex } from '@potluck/protocol'

/**
 * One candidate for each share: of those delivered, the worker first in the share's order (P-41). Shares nobody delivered are
 * left out. Ordered by share.
 */
export function chooseClaims<T extends { worker: Hex; share: number }>(
  delivered: readonly T[],
  assignment: readonly Hex[][],
): T[] {
  const chosen: T[] = []
  assignment.forEach((order, share) => {
    const candidates = delivered.filter((claim) => claim.share === share && order.includes(claim.worker))
    candidates.sort((a, b) => order.indexOf(a.worker) - order.indexOf(b.worker))
    if (candidates[0]) chosen.push(candidates[0])
  })
  return chosen
}
