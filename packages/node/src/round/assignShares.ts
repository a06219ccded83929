import { abiEncode, fromHex, type Hex, keccak256, toHex } from '@potluck/protocol'

/**
 * Workers in the order in which they are due for a share: the first is to do it, each later one takes over when all before it
 * fell silent (P-41). Pure: everyone gets the same order.
 *
 * @param seed of the round's opening, drawn by the chain
 * @param workers enrolled, not expelled, in enrolment order
 *
 * The first in line is a rotation of one shuffled list, so that shares spread evenly; cost: one hash a worker.
 */
export function assignShares(seed: Hex, workers: readonly Hex[], shares: number): Hex[][] {
  const order = [...workers]
    .map((worker) => ({ worker, rank: toHex(keccak256(fromHex(seed), abiEncode(worker))) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ worker }) => worker)
  return Array.from({ length: shares }, (_, share) => order.map((_, i) => order[(share + i) % order.length] as Hex))
}
