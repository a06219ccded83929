/** A complex vector of n = 2^k numbers as two arrays. */
export type ComplexVector = { readonly re: Float64Array; readonly im: Float64Array }

/**
 * Replaces `x` by its discrete Fourier transform  X_k = Σ_j x_j e^(−2πi jk/n), not scaled; the inverse is n times too large.
 *
 * f64 by + − · and √ only, so the same bits everywhere. Roots of unity come from halving angles, then one product each, so
 * they are right to about log2(n) · 2^-53. Error in the 2-norm: about log2(n) · 2^-52 of the result's.
 *
 * @param x n = 2^k numbers, k ≥ 1; written
 *
 * Order: decimation in time, stages from 2 to n. Cost: 5 n log2 n operations.
 */
export function fourier({ re, im }: ComplexVector): void {
  const n = re.length
  reverseBits(re)
  reverseBits(im)
  const roots = rootsOfUnity(n)
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2
    const stride = n / size
    for (let start = 0; start < n; start += size) {
      for (let j = 0; j < half; j++) {
        const c = roots.re[j * stride]!
        const s = roots.im[j * stride]!
        const a = start + j
        const b = a + half
        const tRe = re[b]! * c - im[b]! * s
        const tIm = re[b]! * s + im[b]! * c
        const aRe = re[a]!
        const aIm = im[a]!
        re[a] = aRe + tRe
        im[a] = aIm + tIm
        re[b] = aRe - tRe
        im[b] = aIm - tIm
      }
    }
  }
}

/** The inverse of `fourier`, scaled by 1/n: the transform read backwards. */
export function inverseFourier(x: ComplexVector): void {
  fourier(x)
  const n = x.re.length
  for (const part of [x.re, x.im]) {
    part.subarray(1).reverse()
    for (let i = 0; i < n; i++) part[i]! /= n
  }
}

/** e^(−2πi j/n) for j below n/2. */
function rootsOfUnity(n: number): ComplexVector {
  const half = Math.max(1, n / 2)
  const [re, im] = [new Float64Array(half), new Float64Array(half)]
  re[0] = 1
  // From the angle π downwards: cos(θ/2) = √((1 + cos θ)/2), sin(θ/2) = sin θ / (2 cos(θ/2)); π/2 is set, not computed.
  let [cos, sin] = [0, 1]
  for (let filled = n / 4; filled >= 1; filled /= 2) {
    re[filled] = cos
    im[filled] = -sin
    const next = Math.sqrt((1 + cos) / 2)
    sin = sin / (2 * next)
    cos = next
  }
  // Every other index is its highest power of two plus a smaller index.
  for (let power = 2; power < half; power *= 2) {
    for (let j = 1; j < power; j++) {
      const [c, s] = [re[power]!, im[power]!]
      re[power + j] = re[j]! * c - im[j]! * s
      im[power + j] = re[j]! * s + im[j]! * c
    }
  }
  return { re, im }
}

function reverseBits(values: Float64Array): void {
  const n = values.length
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      const kept = values[i]!
      values[i] = values[j]!
      values[j] = kept
    }
  }
}
