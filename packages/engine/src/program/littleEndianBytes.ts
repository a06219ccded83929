const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

/** The values of the arrays laid end to end, four little-endian bytes each, whatever the machine (D-01). */
export function littleEndianBytes(...arrays: readonly (Float32Array | Int32Array)[]): Uint8Array {
  const [only] = arrays
  if (isLittleEndian && only && arrays.length === 1)
    return new Uint8Array(only.buffer, only.byteOffset, only.byteLength)
  const out = new Uint8Array(4 * arrays.reduce((sum, array) => sum + array.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const array of arrays) {
    for (const value of array) {
      if (array instanceof Float32Array) view.setFloat32(at, value, true)
      else view.setInt32(at, value, true)
      at += 4
    }
  }
  return out
}
