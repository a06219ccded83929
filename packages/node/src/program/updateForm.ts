import { packUpdate, unpackUpdate } from '@potluck/learning'
import { PotluckError, type UpdateEncoding } from '@potluck/protocol'
import { bytesOfFloats, floatsOf } from './tensorBytes.ts'

/** How updates of a job travel (P-52, P-53). */
export type UpdateForm = {
  pack(update: Float32Array): Uint8Array
  /** The f32 numbers that the bytes of an update stand for. Throws BAD_UPDATE with what is wrong. */
  tensorOf(bytes: Uint8Array): Uint8Array
}

/** @param size numbers of an update */
export function updateForm(size: number, encoding: UpdateEncoding): UpdateForm {
  if (encoding !== 'f32')
    return {
      pack: (update) => packUpdate(update, encoding),
      tensorOf: (bytes) => bytesOfFloats(unpackUpdate(bytes, size, encoding)),
    }
  return {
    pack: bytesOfFloats,
    tensorOf(bytes) {
      const expected = 4 * size
      if (bytes.length !== expected)
        throw new PotluckError('BAD_UPDATE', `${bytes.length} bytes, expected ${expected}: one f32 for each parameter`)
      if (!floatsOf(bytes).every(Number.isFinite)) throw new PotluckError('BAD_UPDATE', 'a number in it is not finite')
      return bytes
    },
  }
}
