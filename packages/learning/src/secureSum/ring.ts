import { PotluckError } from '@potluck/protocol'

/** How wide the words of a sum are: they add up mod 2^16, 2^32 or 2^64. */
export type RingBits = 16 | 32 | 64
export type RingWords = Uint16Array | Uint32Array | BigUint64Array

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

export function ringWords(bits: RingBits, length: number): RingWords {
  if (bits === 16) return new Uint16Array(length)
  return bits === 32 ? new Uint32Array(length) : new BigUint64Array(length)
}

export const ringBitsOf = (words: RingWords): RingBits => (8 * words.BYTES_PER_ELEMENT) as RingBits

/** `into` += `words`, word by word, in the ring. Throws BAD_LENGTH when width or length differ. */
export function addRing(into: RingWords, words: RingWords): void {
  if (into.length !== words.length || into.BYTES_PER_ELEMENT !== words.BYTES_PER_ELEMENT) {
    throw new PotluckError(
      'BAD_LENGTH',
      `expected ${into.length} words of ${ringBitsOf(into)} bits, got ${words.length} of ${ringBitsOf(words)}`,
      { expected: into.length, words: words.length },
    )
  }
  // Typed arrays wrap by themselves; one loop for each element type keeps them fast.
  if (into instanceof BigUint64Array) addBig(into, words as BigUint64Array)
  else if (into instanceof Uint32Array) add32(into, words as Uint32Array)
  else add16(into, words as Uint16Array)
}

function addBig(into: BigUint64Array, words: BigUint64Array): void {
  for (let i = 0; i < into.length; i++) into[i] = into[i]! + words[i]!
}

function add32(into: Uint32Array, words: Uint32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = into[i]! + words[i]!
}

function add16(into: Uint16Array, words: Uint16Array): void {
  for (let i = 0; i < into.length; i++) into[i] = into[i]! + words[i]!
}

/** The words as little-endian bytes, whatever the machine, after `head`: a new array, written once. */
export function ringBytes(words: RingWords, head: Uint8Array = new Uint8Array()): Uint8Array {
  const out = new Uint8Array(head.length + words.byteLength)
  out.set(head)
  out.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), head.length)
  inByteOrder(out.subarray(head.length), words.BYTES_PER_ELEMENT)
  return out
}

/** The inverse of `ringBytes`. Throws BAD_LENGTH unless there are exactly `length` words. */
export function ringFromBytes(bytes: Uint8Array, bits: RingBits, length: number): RingWords {
  if (bytes.length !== (length * bits) / 8) {
    throw new PotluckError('BAD_LENGTH', `expected ${length} words of ${bits} bits, got ${bytes.length} bytes`, {
      expected: length,
      bytes: bytes.length,
    })
  }
  const words = ringWords(bits, length)
  new Uint8Array(words.buffer).set(bytes)
  inByteOrder(new Uint8Array(words.buffer), bits / 8)
  return words
}

/** Turns each word round, in place, on the rare machine that keeps the high byte first. */
function inByteOrder(bytes: Uint8Array, size: number): void {
  if (!isLittleEndian) for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse()
}
