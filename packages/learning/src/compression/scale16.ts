/**
 * Scales in 16 bits: an f32 that is not negative, cut to 8 bits of fraction. Unlike a half it has f32's whole range, so neither the
 * steps of a large model vanish in it nor can a large step overflow, and its fraction is as fine as two levels can use.
 */
const real = new Float32Array(1)
const bits = new Uint32Array(real.buffer)

/** The largest finite one. */
const LARGEST = 0xfeff
/** From here on the exponent says infinity or none. */
const FIRST_UNREAL = 0xff00

/** The nearest scale to x ≥ 0, ties to the even one; the largest finite one at most. */
export function toScale(x: number): number {
  real[0] = x
  const word = bits[0]!
  const nearest = (word + 0x3fff + ((word >>> 15) & 1)) >>> 15
  return nearest > LARGEST ? LARGEST : nearest
}

/** The smallest scale that is at least x ≥ 0; the largest finite one at most. */
export function toScaleUp(x: number): number {
  real[0] = x
  const up = (bits[0]! + 0x7fff) >>> 15
  return up > LARGEST ? LARGEST : up
}

/** What a scale stands for, exactly. */
export function fromScale(scale: number): number {
  bits[0] = scale << 15
  return real[0]!
}

/** Whether 16 bits are a number. */
export const isScale = (scale: number): boolean => scale >= 0 && scale < FIRST_UNREAL
