const float = new Float32Array(1)
const integer = new Int32Array(float.buffer)

/** 2^n in f32 for an integer n from −126 to 127, by placing n in the exponent bits. */
export function powerOfTwo(n: number): number {
  integer[0] = (n + 127) << 23
  return float[0]!
}
