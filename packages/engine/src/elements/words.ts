/** 32-bit words as the referee holds them: f32 bits or integers, unsigned; one NaN (D-10). */
export const NAN_WORD = 0x7fc00000

const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

export function floatOfWord(bits: number): number {
  word[0] = bits
  return float[0]!
}

/** The bits of the nearest f32; every NaN becomes the one NaN, whatever bits the machine keeps for it. */
export function wordOfFloat(value: number): number {
  if (Number.isNaN(value)) return NAN_WORD
  float[0] = value
  return word[0]!
}
