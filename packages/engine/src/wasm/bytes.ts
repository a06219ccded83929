/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const out: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    out.push(rest > 0 ? low + 128 : low)
  } while (rest > 0)
  return out
}

/** Signed LEB128 of an i32. */
export function signed(value: number): number[] {
  const out: number[] = []
  let rest = value | 0
  for (;;) {
    const low = rest & 127
    rest >>= 7
    const done = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)
    out.push(done ? low : low | 128)
    if (done) return out
  }
}

/** The four little-endian bytes of an f32 or, for `i32`, of an integer. */
export function word(value: number, type: 'f32' | 'i32'): number[] {
  const view = new DataView(new ArrayBuffer(4))
  if (type === 'f32') view.setFloat32(0, value, true)
  else view.setInt32(0, value, true)
  return [0, 1, 2, 3].map((i) => view.getUint8(i))
}
