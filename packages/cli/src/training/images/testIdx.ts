/** An IDX file of unsigned bytes, for tests. The extents are written as given, true or not. */
export function idxBytes(extents: readonly number[], values: readonly number[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * extents.length))
  header.setUint8(2, 8)
  header.setUint8(3, extents.length)
  extents.forEach((extent, i) => {
    header.setUint32(4 + 4 * i, extent)
  })
  return Uint8Array.of(...new Uint8Array(header.buffer), ...values)
}
