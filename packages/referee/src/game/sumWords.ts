import { type Hex, toHex } from '@potluck/protocol'

/** A list of sums as the contract reads it: words of four bytes, big-endian. */
export function bigEndianWords(sums: readonly number[]): Hex {
  const bytes = new Uint8Array(4 * sums.length)
  const view = new DataView(bytes.buffer)
  sums.forEach((word, i) => {
    view.setUint32(4 * i, word)
  })
  return toHex(bytes)
}

export function wordsOfSums(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getUint32(4 * i))
}
