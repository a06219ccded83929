import { PotluckError } from '@potluck/protocol'
import { CHUNK } from './Compression.ts'
import { fromScale, isScale } from './scale16.ts'
import { sortingRoom, sortMagnitudes } from './sortMagnitudes.ts'
import { twoLevels } from './twoLevels.ts'

/** Bytes of `length` values: four for each chunk's two scales, then four values to a byte. */
export const twoBitBytes = (length: number): number => 4 * Math.ceil(length / CHUNK) + Math.ceil(length / 4)

/** Writes each value as its sign times one of its chunk's two levels (L-24): all scales (low, high; big-endian), then sign and level from the upper bits down. */
export function writeTwoBits(values: Float32Array, into: Uint8Array, start: number): void {
  const codesAt = start + 4 * Math.ceil(values.length / CHUNK)
  const room = sortingRoom(CHUNK)
  for (let from = 0; from < values.length; from += CHUNK) {
    const size = Math.min(CHUNK, values.length - from)
    const { low, high, from: border } = twoLevels(sortMagnitudes(values.subarray(from, from + size), room))
    into.set([low >>> 8, low & 255, high >>> 8, high & 255], start + (4 * from) / CHUNK)
    const isPair = low < high
    // A level of 0 has no sign.
    const [lowSign, highSign] = [low > 0 ? 2 : 0, high > 0 ? 2 : 0]
    for (let i = 0; i < size; i++) {
      const value = values[from + i]!
      const level = isPair && Math.abs(value) >= border ? 1 : 0
      const sign = value < 0 ? (level === 1 ? highSign : lowSign) : 0
      into[codesAt + ((from + i) >>> 2)]! |= (sign | level) << (6 - 2 * ((from + i) & 3))
    }
  }
}

/**
 * The values of `writeTwoBits`.
 *
 * @param bytes exactly `twoBitBytes` from `start` on
 * @throws PotluckError BAD_SCALE, NOT_CANONICAL
 */
export function readTwoBits(bytes: Uint8Array, start: number, length: number): Float32Array {
  const values = new Float32Array(length)
  const codesAt = start + 4 * Math.ceil(length / CHUNK)
  for (let from = 0; from < length; from += CHUNK) {
    const end = Math.min(length, from + CHUNK)
    const at = start + (4 * from) / CHUNK
    const [low, high] = [(bytes[at]! << 8) | bytes[at + 1]!, (bytes[at + 2]! << 8) | bytes[at + 3]!]
    if (!isScale(low) || !isScale(high) || low > high) {
      throw new PotluckError('BAD_SCALE', `chunk ${from / CHUNK} has scales ${low} and ${high}`, { low, high })
    }
    const levels = [fromScale(low), fromScale(high)]
    let highs = 0
    for (let i = from; i < end; i++) {
      const code = (bytes[codesAt + (i >>> 2)]! >>> (6 - 2 * (i & 3))) & 3
      const level = levels[code & 1]!
      highs += code & 1
      if (level === 0 && code > 1) throw notCanonical('a sign on a level of 0')
      values[i] = code > 1 ? -level : level
    }
    if (low === high ? highs > 0 : highs === 0 || highs === end - from)
      throw notCanonical('two levels are named, one is used')
  }
  const unused = (4 - (length & 3)) & 3
  if (unused > 0 && (bytes[codesAt + (length >>> 2)]! & ((1 << (2 * unused)) - 1)) !== 0) {
    throw notCanonical('unused bits of the last byte are not 0')
  }
  return values
}

const notCanonical = (why: string): PotluckError =>
  new PotluckError('NOT_CANONICAL', `${why}; values have exactly one form in bytes`)
