import { PotluckError } from '@potluck/protocol'
import { fromScale, isScale, toScaleUp } from './scale16.ts'

/** Values that share one scale in 4 or 8 bits. */
export const BLOCK = 256

/** Bytes of `length` values: two for each block's scale, then the codes, two to a byte with 4 bits. */
export const blockBytes = (length: number, bits: 4 | 8): number =>
  2 * Math.ceil(length / BLOCK) + (bits === 8 ? length : Math.ceil(length / 2))

/**
 * Writes values in 4 or 8 bits (L-24): scales first (big-endian), then for each value code + top, where code is the nearest whole number
 * to value/scale from −top to top, top = 7 or 127; halves go away from 0. With 4 bits the even value has the upper half of a byte.
 * The scale is the least one that holds the block's largest magnitude, or 0 where all codes would be 0.
 */
export function writeBlocks(values: Float32Array, bits: 4 | 8, into: Uint8Array, start: number): void {
  const top = bits === 8 ? 127 : 7
  const codesAt = start + 2 * Math.ceil(values.length / BLOCK)
  for (let from = 0; from < values.length; from += BLOCK) {
    const end = Math.min(values.length, from + BLOCK)
    let largest = 0
    for (let i = from; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!))
    let scale = toScaleUp(largest / top)
    // One scale up from the largest f32 the top would be infinite.
    if (!isReal(top, scale)) scale--
    const step = fromScale(scale)
    // Only near the smallest f32 is a step coarser than a part of the largest value: such a block is 0.
    const isZero = scale === 0 || largest / step < top - 0.5
    const at = start + (2 * from) / BLOCK
    into[at] = isZero ? 0 : scale >>> 8
    into[at + 1] = isZero ? 0 : scale & 255
    for (let i = from; i < end; i++) {
      const value = values[i]!
      const size = isZero ? 0 : Math.min(top, Math.floor(Math.abs(value) / step + 0.5))
      const code = value < 0 ? top - size : top + size
      if (bits === 8) into[codesAt + i] = code
      else if (i % 2 === 0) into[codesAt + i / 2] = code << 4
      else into[codesAt + (i - 1) / 2]! |= code
    }
  }
}

/**
 * The values of `writeBlocks`.
 *
 * @param bytes exactly `blockBytes` from `start` on
 * @throws PotluckError BAD_SCALE; NOT_CANONICAL for a code beyond the top, a scale larger than its block needs, or bits that say nothing
 */
export function readBlocks(bytes: Uint8Array, start: number, length: number, bits: 4 | 8): Float32Array {
  const top = bits === 8 ? 127 : 7
  const values = new Float32Array(length)
  const codesAt = start + 2 * Math.ceil(length / BLOCK)
  for (let from = 0; from < length; from += BLOCK) {
    const end = Math.min(length, from + BLOCK)
    const at = start + (2 * from) / BLOCK
    const scale = (bytes[at]! << 8) | bytes[at + 1]!
    const block = from / BLOCK
    if (!isScale(scale) || !isReal(top, scale))
      throw new PotluckError('BAD_SCALE', `block ${block} has scale ${scale}, which gives no finite number`, { block })
    const step = fromScale(scale)
    let largest = 0
    for (let i = from; i < end; i++) {
      const byte = bits === 8 ? bytes[codesAt + i]! : bytes[codesAt + (i >>> 1)]!
      const code = (bits === 8 ? byte : i % 2 === 0 ? byte >>> 4 : byte & 15) - top
      if (code > top) throw notCanonical(block, `code ${code} is beyond ${top}`)
      largest = Math.max(largest, Math.abs(code))
      // A code of 0 is plain 0, never −0.
      values[i] = code === 0 ? 0 : Math.fround(code * step)
    }
    if (largest !== (scale === 0 ? 0 : top)) throw notCanonical(block, `largest code ${largest} under scale ${scale}`)
  }
  if (bits === 4 && length % 2 === 1 && (bytes[codesAt + (length - 1) / 2]! & 15) !== 0) {
    throw notCanonical((length - 1) / BLOCK, 'the unused half of the last byte is not 0')
  }
  return values
}

/** Whether the largest code stands for a finite f32. */
const isReal = (top: number, scale: number): boolean => Number.isFinite(Math.fround(top * fromScale(scale)))

const notCanonical = (block: number, why: string): PotluckError =>
  new PotluckError('NOT_CANONICAL', `block ${Math.floor(block)}: ${why}; values have exactly one form in bytes`)
