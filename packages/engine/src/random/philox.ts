/**
 * Philox4x32-10: four 32-bit words as a pure function of a 64-bit key and a 128-bit counter, integer operations only.
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); checked against its known answers.
 *
 * @param counter four u32
 * @param key     two u32
 * @param out     four u32, written
 */
export function philox(counter: ArrayLike<number>, key: ArrayLike<number>, out: Uint32Array): void {
  let c0 = counter[0]! | 0
  let c1 = counter[1]! | 0
  let c2 = counter[2]! | 0
  let c3 = counter[3]! | 0
  let k0 = key[0]! | 0
  let k1 = key[1]! | 0
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd251, 0x1f53, c0)
    const low0 = Math.imul(0xd2511f53, c0)
    const high1 = multiplyHigh(0xcd9e, 0x8d57, c2)
    const low1 = Math.imul(0xcd9e8d57, c2)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** The upper 32 bits of (high·2^16 + low)·b, all unsigned, by 16-bit halves in integer arithmetic only: this is hot. */
function multiplyHigh(high: number, low: number, b: number): number {
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const cross = Math.imul(high, bLow)
  const other = Math.imul(low, bHigh)
  const middle = (Math.imul(low, bLow) >>> 16) + (cross & 0xffff) + (other & 0xffff)
  return (Math.imul(high, bHigh) + (cross >>> 16) + (other >>> 16) + (middle >>> 16)) | 0
}
