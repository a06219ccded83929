import { PotluckError } from '@potluck/protocol'

/**
 * f32 values, little-endian, as `littleEndianBytes` writes them.
 *
 * @throws PotluckError NAN with the first index whose value is not finite
 */
export function readReals(bytes: Uint8Array, start: number, length: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) {
    const value = view.getFloat32(start + 4 * i, true)
    if (!Number.isFinite(value)) {
      throw new PotluckError('NAN', `value ${i} is ${value}; an update holds finite numbers`, { at: i })
    }
    values[i] = value
  }
  return values
}
