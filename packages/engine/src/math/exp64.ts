const view = new DataView(new ArrayBuffer(8))
/** ln 2 in two parts: the high part ends in 21 zero bits, so its product with an integer below 2^21 is exact. */
// biome-ignore lint/suspicious/noApproximativeNumericConstant: pinned here, not by the platform
const log2e = 1.4426950408889634
const ln2High = 0.6931471803691238
const ln2Low = 1.9082149292705877e-10

/**
 * e^x in f64 by + − · and exact scaling only, so every machine gives the same bits (E-09).
 *
 *   n = floor(x / ln 2 + 1/2),  r = (x − n·ln2High) − n·ln2Low,  e^x = (Σ_k≤13 r^k / k!) · 2^n
 *
 * @returns +infinity above 709.78, +0 below −708.39. Relative error below 4e-16.
 *
 * Order: the sum by Horner from k = 13 down, as r/k · (…) + 1; then two scalings by powers of two.
 */
export function exactExp64(x: number): number {
  if (Number.isNaN(x)) return Number.NaN
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY
  if (x < -708.3964185322641) return 0
  const n = Math.floor(x * log2e + 0.5)
  const r = x - n * ln2High - n * ln2Low
  let sum = 1
  for (let k = 13; k >= 1; k--) sum = 1 + (r * sum) / k
  const half = Math.floor(n / 2)
  return sum * powerOfTwo64(half) * powerOfTwo64(n - half)
}

function powerOfTwo64(n: number): number {
  view.setBigUint64(0, BigInt(n + 1023) << 52n)
  return view.getFloat64(0)
}
