import type { Claim, Hex } from '@potluck/protocol'

/**
 * Which claims of a set a result is made of (P-51): those of a worker that was not convicted, for a share that the job has and no
 * earlier claim that takes part stands for.
 *
 * @param claims in set order
 * @param convicted whose convictions the result takes account of
 * @param shares how many the job has
 */
export function takingPart(
  claims: readonly Pick<Claim, 'worker' | 'share'>[],
  convicted: ReadonlySet<Hex>,
  shares: number,
): boolean[] {
  const taken = new Set<number>()
  return claims.map(({ worker, share }) => {
    const isIn = share < shares && !taken.has(share) && !convicted.has(worker)
    if (isIn) taken.add(share)
    return isIn
  })
}
