import { PotluckError } from '@potluck/protocol'
import { decodeFixed, encodeFixed } from './fixedPoint.ts'
import { type RingBits, type RingWords, ringWords } from './ring.ts'

/** Where a real number sits in a ring: `fractionBits` binary places, two's complement, room for the sum of `members` of them. */
export type RingFormat = { readonly bits: RingBits; readonly fractionBits: number; readonly members: number }

/** The largest magnitude one member may add, in units of 2^-fractionBits, so that no sum of all of them wraps (L-09). */
export function ringLimit({ bits, members }: RingFormat): number {
  return Number(((1n << BigInt(bits - 1)) - 1n) / BigInt(members))
}

/**
 * Each value rounded to the nearest multiple of 2^-fractionBits (ties up), as a word of the ring: what a member masks.
 *
 * @throws PotluckError NO_HEADROOM when `members` values of this size could overflow, or a value is not finite (L-09);
 *   BAD_FIXED_POINT when the format makes no sense
 */
export function encodeRing(values: ArrayLike<number>, format: RingFormat): RingWords {
  checkFormat(format)
  if (format.bits === 64) return encodeFixed(Float64Array.from(values), format)
  const unit = Number(1n << BigInt(format.fractionBits))
  const limit = ringLimit(format)
  const words = ringWords(format.bits, values.length) as Uint16Array | Uint32Array
  for (let i = 0; i < values.length; i++) {
    const word = Math.round(values[i]! * unit)
    if (!(Math.abs(word) <= limit)) {
      throw new PotluckError(
        'NO_HEADROOM',
        `value ${values[i]} at ${i} leaves no room to sum ${format.members} members in ${format.bits} bits with ${format.fractionBits} fraction bits (limit ${limit / unit}): clip it, use fewer fraction bits or a wider ring`,
        { index: i, value: values[i]!, limit: limit / unit, members: format.members },
      )
    }
    words[i] = word
  }
  return words
}

/** The real numbers that words of the ring, or sums of them, stand for; exact up to 32 bits, rounded once to f64 at 64. */
export function decodeRing(words: RingWords, format: RingFormat): Float64Array {
  checkFormat(format)
  if (words instanceof BigUint64Array) return decodeFixed(words, format)
  const unit = Number(1n << BigInt(format.fractionBits))
  const out = new Float64Array(words.length)
  const shift = 32 - format.bits
  for (let i = 0; i < out.length; i++) out[i] = ((words[i]! << shift) >> shift) / unit
  return out
}

function checkFormat({ bits, fractionBits, members }: RingFormat): void {
  const isRing = bits === 16 || bits === 32 || bits === 64
  if (!isRing || !Number.isInteger(fractionBits) || fractionBits < 0 || fractionBits > 52 || !(members >= 1)) {
    throw new PotluckError(
      'BAD_FIXED_POINT',
      `expected 16, 32 or 64 bits, 0 to 52 fraction bits and at least one member, got ${bits}, ${fractionBits} and ${members}`,
      { bits, fractionBits, members },
    )
  }
}
