/** The f32 values of the arrays laid end to end, four little-endian bytes each, whatever the machine (E-17). */
export function littleEndianBytes(...arrays: readonly Float32Array[]): Uint8Array {
  const out = new Uint8Array(4 * arrays.reduce((sum, array) => sum + array.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const array of arrays) {
    for (const value of array) {
      view.setFloat32(at, value, true)
      at += 4
    }
  }
  return out
}
