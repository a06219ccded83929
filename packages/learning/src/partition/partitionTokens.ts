import { RandomStream } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

/** See `partitionRows`: 40 to 42 are taken there. */
const ORDER_OF_PIECES = 43

/**
 * A text divided at random: cut into equal pieces of about `piece` tokens, which are dealt to the clients in random order and joined in
 * the order of the text. Where two pieces are joined a window may read over the seam.
 *
 * @param piece tokens, more than a window
 * @throws PotluckError BAD_CLIENTS; TOO_MANY_CLIENTS where a client would get less than one piece
 */
export function partitionTokens<T extends Uint8Array | Uint16Array | Int32Array>(
  tokens: T,
  clients: number,
  piece: number,
  seed: Uint8Array,
): T[] {
  if (!Number.isSafeInteger(clients) || clients < 1) {
    throw new PotluckError('BAD_CLIENTS', `clients must be a whole number from 1, got ${clients}`, { clients })
  }
  const pieces = Math.floor(tokens.length / piece)
  if (pieces < clients) {
    const message = `${clients} clients cannot share a text of ${tokens.length} tokens, each needs ${piece} of them: take ${pieces} clients or fewer, or a longer text`
    throw new PotluckError('TOO_MANY_CLIENTS', message, { clients, tokens: tokens.length })
  }
  const order = Uint32Array.from({ length: pieces }, (_, i) => i)
  const random = new RandomStream(seed, ORDER_OF_PIECES, 0)
  for (let last = pieces - 1; last > 0; last--) {
    const other = random.below(pieces - 1 - last, last + 1)
    const kept = order[last]!
    order[last] = order[other]!
    order[other] = kept
  }
  const startOf = (p: number): number => Math.floor((p * tokens.length) / pieces)
  return Array.from({ length: clients }, (_, c) => {
    const mine = order.slice(Math.floor((c * pieces) / clients), Math.floor(((c + 1) * pieces) / clients)).sort()
    const joined = tokens.slice(
      0,
      mine.reduce((sum, p) => sum + startOf(p + 1) - startOf(p), 0),
    ) as T
    let at = 0
    for (const p of mine) {
      joined.set(tokens.subarray(startOf(p), startOf(p + 1)), at)
      at += startOf(p + 1) - startOf(p)
    }
    return joined
  })
}
