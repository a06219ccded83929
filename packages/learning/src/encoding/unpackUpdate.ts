import { PotluckError } from '@potluck/protocol'
import { blockOf } from './blockOf.ts'
import { type DenseEncoding, denseLevels, LARGEST_SCALE, SMALLEST_SCALE } from './denseLevels.ts'
import { packedBytes, SCALE_BYTES } from './packUpdate.ts'

/**
 * The update that bytes from outside stand for. Every byte is checked: what is accepted is exactly what `packUpdate` writes.
 *
 * @param size numbers of the update
 * @throws PotluckError BAD_UPDATE says what is wrong and where
 */
export function unpackUpdate(bytes: Uint8Array, size: number, encoding: DenseEncoding): Float32Array {
  const { bits, most } = denseLevels[encoding]
  const expected = packedBytes(size, encoding)
  if (bytes.length !== expected)
    refuse(`${bytes.length} bytes, expected ${expected}: ${size} numbers as ${encoding}`, { expected })
  const block = blockOf(size)
  const levelsAt = SCALE_BYTES * (size / block)
  const update = new Float32Array(size)
  const word = new DataView(new ArrayBuffer(4))
  const mask = (1 << bits) - 1
  for (let start = 0; start < size; start += block) {
    const number = start / block
    for (let i = 0; i < SCALE_BYTES; i++) word.setUint8(i + 1, bytes[SCALE_BYTES * number + i] as number)
    const scale = word.getFloat32(0, true)
    const isUsable = Object.is(scale, 0) || (scale >= SMALLEST_SCALE && scale <= LARGEST_SCALE)
    if (!isUsable) refuse(`block ${number} has the scale ${scale}`, { block: number, scale })
    let highest = 0
    for (let i = start; i < start + block; i++) {
      const code = ((bytes[levelsAt + ((i * bits) >> 3)] as number) >> ((i * bits) & 7)) & mask
      if (code > 2 * most) refuse(`element ${i} has the code ${code}, which stands for no level`, { element: i, code })
      const level = code - most
      highest = Math.max(highest, Math.abs(level))
      update[i] = level * scale
    }
    if (highest !== (scale === 0 ? 0 : most))
      refuse(`block ${number} has levels up to ${highest} with the scale ${scale}: that is another form of the same`, {
        block: number,
        highest,
      })
  }
  const used = (size * bits) & 7
  if (used !== 0 && (bytes[expected - 1] as number) >> used !== 0) refuse('the bits after the last level are not 0', {})
  return update
}

function refuse(why: string, facts: Record<string, number>): never {
  throw new PotluckError('BAD_UPDATE', `not an update: ${why}`, facts)
}
