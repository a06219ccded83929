import { RandomStream } from '@potluck/engine'
import { concatBytes, sha256, uint64, utf8 } from '@potluck/protocol'

const purpose = { members: 50 } as const

/** The seed of one task: of run, round and what it is for, so that no two share a batch. */
export const federatedSeed = (seed: Uint8Array, round: number, what: string): Uint8Array =>
  sha256(concatBytes(utf8('potluck/federated/1'), seed, uint64(round), utf8(what)))

/** The clients of a round, ascending: all, or `count` drawn without replacement (L-79). */
export function drawMembers(seed: Uint8Array, round: number, clients: number, count: number): number[] {
  const order = Array.from({ length: clients }, (_, i) => i)
  if (count >= clients) return order
  const random = new RandomStream(seed, purpose.members, round)
  for (let i = 0; i < count; i++) {
    const j = i + random.below(i, clients - i)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order.slice(0, count).sort((a, b) => a - b)
}
