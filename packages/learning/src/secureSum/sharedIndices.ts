import { concatBytes, PotluckError, sha256, uint64, utf8 } from '@potluck/protocol'
import { chachaBlocks } from './chacha.ts'
import type { RingWords } from './ring.ts'
import { decodeRing, encodeRing, type RingFormat } from './ringFixed.ts'

/**
 * Which `keep` of `length` coordinates a whole group sends this round: the same for everyone, each set equally likely (L-50).
 *
 * Masks hide which coordinates matter to a member, so that members cannot choose their own; with one set drawn for all, the sum of
 * what they keep is the part of the sum. What is not sent waits in each member's residual until its turn comes.
 *
 * @param seed of the job; @returns ascending
 *
 * Cost: some keep · log keep operations. Source of the draw: Floyd's algorithm (Bentley, CACM 30(9), 1987).
 */
export function sharedIndices(seed: Uint8Array, round: number, length: number, keep: number): Uint32Array {
  const isWhole = Number.isInteger(length) && Number.isInteger(keep)
  if (!isWhole || keep < 1 || keep > length || length > 4_294_967_295) {
    throw new PotluckError('BAD_KEEP', `expected to keep 1 to ${length} coordinates, got ${keep}`, { keep, length })
  }
  const next = chachaBlocks(sha256(concatBytes(utf8('potluck/shared-indices/2'), uint64(round), seed)), 20)
  let block = next()
  let at = 0
  const below = (bound: number): number => {
    // Words of the uneven last stretch are thrown away.
    const usable = 4_294_967_296 - (4_294_967_296 % bound)
    for (;;) {
      if (at === 16) {
        block = next()
        at = 0
      }
      const word = block[at++]!
      if (word < usable) return word % bound
    }
  }
  const chosen = new Set<number>()
  for (let top = length - keep; top < length; top++) {
    const drawn = below(top + 1)
    chosen.add(chosen.has(drawn) ? top : drawn)
  }
  return Uint32Array.from(chosen).sort()
}

/**
 * A member's words at the shared coordinates, and what it keeps for later rounds: all it did not send, rounding included (L-50).
 *
 * @param delta    [P] this round's update; read only
 * @param residual [P] what earlier rounds left, undefined in the first
 * @throws PotluckError NO_HEADROOM when the waiting sum at a coordinate outgrew the ring (clip updates, or keep more); SHAPE
 */
export function quantiseShared(
  delta: Float32Array,
  residual: Float32Array | undefined,
  indices: Uint32Array,
  format: RingFormat,
): { readonly words: RingWords; readonly residual: Float32Array } {
  if (residual !== undefined && residual.length !== delta.length) {
    throw new PotluckError('SHAPE', `the residual has ${residual.length} values, the update ${delta.length}`)
  }
  const waiting = residual === undefined ? delta.slice() : delta.map((value, i) => value + residual[i]!)
  const kept = Float32Array.from(indices, (at) => waiting[at]!)
  const words = encodeRing(kept, format)
  const sent = decodeRing(words, format)
  indices.forEach((at, i) => {
    waiting[at] = waiting[at]! - sent[i]!
  })
  return { words, residual: waiting }
}

/** The sum over all coordinates, zero where nothing was sent. */
export function spreadShared(sum: RingWords, indices: Uint32Array, length: number, format: RingFormat): Float32Array {
  if (sum.length !== indices.length) {
    throw new PotluckError('SHAPE', `${indices.length} coordinates were shared, the sum has ${sum.length} words`)
  }
  const out = new Float32Array(length)
  decodeRing(sum, format).forEach((value, i) => {
    out[indices[i]!] = value
  })
  return out
}
