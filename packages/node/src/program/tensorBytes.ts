import { PotluckError } from '@potluck/protocol'

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** f32 little-endian, the form of every tensor in a block. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0) throw new PotluckError('BAD_TENSOR', `${bytes.length} bytes are not whole f32 numbers`)
  const floats = new Float32Array(bytes.length / 4)
  if (isLittleEndian) {
    new Uint8Array(floats.buffer).set(bytes)
    return floats
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let i = 0; i < floats.length; i++) floats[i] = view.getFloat32(4 * i, true)
  return floats
}

export function bytesOfFloats(floats: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * floats.length)
  if (isLittleEndian) {
    bytes.set(new Uint8Array(floats.buffer, floats.byteOffset, bytes.length))
    return bytes
  }
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < floats.length; i++) view.setFloat32(4 * i, floats[i] as number, true)
  return bytes
}
