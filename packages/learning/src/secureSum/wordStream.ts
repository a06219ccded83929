import { sha256, uint64 } from '@potluck/protocol'

/**
 * An endless stream of 64-bit words from a secret key: SHA-256(key, counter), counter from 0, four big-endian words a hash.
 *
 * The caller derives `key` for one purpose only; a second stream from one key is the same stream.
 */
export function wordStream(key: Uint8Array): () => bigint {
  let counter = 0
  let block: DataView = new DataView(new ArrayBuffer(0))
  let at = 0
  return () => {
    if (at === block.byteLength) {
      const hash = sha256(key, uint64(counter++))
      block = new DataView(hash.buffer, hash.byteOffset, hash.length)
      at = 0
    }
    const word = block.getBigUint64(at)
    at += 8
    return word
  }
}

/** A whole number from 0 to `bound - 1`, each equally likely: words of the uneven last stretch are thrown away. */
export function drawBelow(next: () => bigint, bound: number): number {
  const size = BigInt(bound)
  const usable = (1n << 64n) - ((1n << 64n) % size)
  let word = next()
  while (word >= usable) word = next()
  return Number(word % size)
}
