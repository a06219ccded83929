const view = new DataView(new ArrayBuffer(8))
// biome-ignore lint/suspicious/noApproximativeNumericConstant: pinned here, not by the platform
const sqrt2 = 1.4142135623730951
const ln2High = 0.6931471803691238
const ln2Low = 1.9082149292705877e-10

/**
 * The natural logarithm in f64 by + − · / only, so every machine gives the same bits (E-09).
 *
 *   x = 2^e · m,  m in [0.7071, 1.4142),  s = (m − 1) / (m + 1),  log x = e·ln2High + (e·ln2Low + 2s·Σ_k≤11 s^2k/(2k+1))
 *
 * @returns −infinity at 0, NaN below. Relative error below 1e-15 away from 1, absolute below 1e-16 near it.
 */
export function exactLog64(x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN
  if (x === 0) return Number.NEGATIVE_INFINITY
  if (x === Number.POSITIVE_INFINITY) return x
  const subnormal = x < 2.2250738585072014e-308
  view.setFloat64(0, subnormal ? x * 18014398509481984 : x)
  const high = view.getUint32(0)
  let e = (high >>> 20) - 1023
  view.setUint32(0, (high & 0x000fffff) | 0x3ff00000)
  let m = view.getFloat64(0)
  if (m >= sqrt2) {
    m = m / 2
    e = e + 1
  }
  if (subnormal) e = e - 54
  const s = (m - 1) / (m + 1)
  const z = s * s
  let sum = 1 / 23
  for (let k = 10; k >= 0; k--) sum = sum * z + 1 / (2 * k + 1)
  return e * ln2High + (e * ln2Low + 2 * s * sum)
}
