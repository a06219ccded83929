import { PotluckError } from '@potluck/protocol'
import { blockOf } from './blockOf.ts'
import { type DenseEncoding, denseLevels } from './denseLevels.ts'

/** Bytes that an update of so many numbers travels in. */
export function packedBytes(size: number, encoding: DenseEncoding): number {
  return SCALE_BYTES * (size / blockOf(size)) + Math.ceil((size * denseLevels[encoding].bits) / 8)
}

/** Sign and exponent aside, a scale has 16 significant bits: the upper three bytes of an f32. */
export const SCALE_BYTES = 3

/**
 * The bytes of an update as `encodedUpdateProgram` makes it: a scale for each block, then the levels, the first in the lowest bits.
 * The scale of a block is its largest magnitude divided by the highest level, which some element has: so the bytes
 * follow from the numbers alone, and no update has two forms (P-53).
 *
 * @throws PotluckError NOT_ENCODED when an element is no level of its block, NO_BLOCKS
 */
export function packUpdate(update: Float32Array, encoding: DenseEncoding): Uint8Array {
  const { bits, most } = denseLevels[encoding]
  const block = blockOf(update.length)
  const bytes = new Uint8Array(packedBytes(update.length, encoding))
  const levelsAt = SCALE_BYTES * (update.length / block)
  const word = new DataView(new ArrayBuffer(4))
  for (let start = 0; start < update.length; start += block) {
    let largest = 0
    for (let i = start; i < start + block; i++) largest = Math.max(largest, Math.abs(update[i] as number))
    const scale = Math.fround(largest / most)
    word.setFloat32(0, scale, true)
    if (word.getUint8(0) !== 0 || !Number.isFinite(scale)) refuse(start, largest)
    const scaleAt = SCALE_BYTES * (start / block)
    for (let i = 0; i < SCALE_BYTES; i++) bytes[scaleAt + i] = word.getUint8(i + 1)
    for (let i = start; i < start + block; i++) {
      const level = scale === 0 ? 0 : (update[i] as number) / scale
      if (!Number.isInteger(level)) refuse(i, update[i] as number)
      const at = levelsAt + ((i * bits) >> 3)
      bytes[at] = (bytes[at] as number) | ((level + most) << ((i * bits) & 7))
    }
  }
  return bytes
}

function refuse(index: number, value: number): never {
  const message = `element ${index} of the update, ${value}, is no level of its block: encode the update first`
  throw new PotluckError('NOT_ENCODED', message, { index, value })
}
