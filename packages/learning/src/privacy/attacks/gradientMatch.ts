import { addRowGradient, mixedDerivative } from './mixedDerivative.ts'
import type { RectifierLayer } from './rectifierLayers.ts'

/** Extents of rows that are images [height, width, channels]. */
export type ImageShape = { readonly height: number; readonly width: number; readonly channels: number }

/**
 * How far the rows' summed gradient points away from the one seen, 1 − cos, and the derivative by each row. Its length does not
 * matter: a mean, a sum and a clipped gradient are matched alike.
 *
 * @param w      the flat parameters
 * @param seen   as w
 * @param labels one a row
 * @returns distance 0 to 2; slopes as rows
 *
 * Cost: two passes forward and back for each row. Source: Geiping et al., arXiv:2003.14053, equation 4.
 */
export function gradientMatch(
  layers: readonly RectifierLayer[],
  w: Float64Array,
  seen: Float64Array,
  rows: readonly Float64Array[],
  labels: readonly number[],
): { distance: number; slopes: Float64Array[] } {
  const gradient = new Float64Array(w.length)
  const passes = rows.map((row, i) => addRowGradient(layers, w, row, labels[i]!, gradient))
  let [dot, own, theirs] = [0, 0, 0]
  for (let i = 0; i < w.length; i++) {
    dot += gradient[i]! * seen[i]!
    own += gradient[i]! * gradient[i]!
    theirs += seen[i]! * seen[i]!
  }
  const lengths = Math.sqrt(own) * Math.sqrt(theirs)
  if (lengths === 0) return { distance: 1, slopes: rows.map((row) => new Float64Array(row.length)) }
  const v = new Float64Array(w.length)
  for (let i = 0; i < v.length; i++) v[i] = (gradient[i]! * (dot / own) - seen[i]!) / lengths
  return { distance: 1 - dot / lengths, slopes: passes.map((pass) => mixedDerivative(layers, w, v, pass)) }
}

/**
 * The mean over an image of |difference to the right| + |difference below|: small for images without grain.
 *
 * @param slope   added to: the derivative of `weight` times the value
 * @returns `weight` times the value
 */
export function totalVariation(
  row: Float64Array,
  { height, width, channels }: ImageShape,
  weight: number,
  slope: Float64Array,
): number {
  const share = weight / row.length
  let sum = 0
  const pair = (a: number, b: number): void => {
    const off = row[b]! - row[a]!
    sum += Math.abs(off)
    slope[b]! += Math.sign(off) * share
    slope[a]! -= Math.sign(off) * share
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const at = (y * width + x) * channels + c
        if (x + 1 < width) pair(at, at + channels)
        if (y + 1 < height) pair(at, at + width * channels)
      }
    }
  }
  return sum * share
}
