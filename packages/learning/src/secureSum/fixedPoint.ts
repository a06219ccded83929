import { PotluckError } from '@potluck/protocol'

/**
 * Where a real number sits in the ring of integers mod 2^64: `fractionBits` binary places, two's complement, and room for the
 * sum of `members` such numbers (L-09).
 */
export type FixedPoint = { readonly fractionBits: number; readonly members: number }

/** 2^fractionBits as a number; exact, and multiplying by it is exact. */
function unitOf({ fractionBits, members }: FixedPoint): number {
  if (
    !Number.isInteger(fractionBits) ||
    fractionBits < 0 ||
    fractionBits > 52 ||
    !Number.isInteger(members) ||
    members < 1
  ) {
    throw new PotluckError(
      'BAD_FIXED_POINT',
      `expected 0 to 52 fraction bits and at least one member, got ${fractionBits} and ${members}`,
      { fractionBits, members },
    )
  }
  return Number(1n << BigInt(fractionBits))
}

/**
 * Each value rounded to the nearest multiple of 2^-fractionBits (ties up), as a word of the ring.
 *
 * @throws PotluckError NO_HEADROOM when `members` values of this size could overflow the ring, or a value is not finite
 */
export function encodeFixed(values: Float64Array, format: FixedPoint): BigUint64Array {
  const unit = unitOf(format)
  const limit = ((1n << 63n) - 1n) / BigInt(format.members)
  const words = new BigUint64Array(values.length)
  values.forEach((value, i) => {
    const scaled = Math.round(value * unit)
    const word = Number.isFinite(scaled) ? BigInt(scaled) : null
    if (word === null || word > limit || -word > limit) {
      throw new PotluckError(
        'NO_HEADROOM',
        `value ${value} at ${i} leaves no room to sum ${format.members} members with ${format.fractionBits} fraction bits (limit ${Number(limit) / unit}): scale the inputs or use fewer fraction bits`,
        { index: i, value, members: format.members, fractionBits: format.fractionBits },
      )
    }
    words[i] = BigInt.asUintN(64, word)
  })
  return words
}

/** The real numbers that words of the ring, or sums of them, stand for; rounded once, to f64. */
export function decodeFixed(words: BigUint64Array, format: FixedPoint): Float64Array {
  const unit = unitOf(format)
  return Float64Array.from(words, (word) => Number(BigInt.asIntN(64, word)) / unit)
}
