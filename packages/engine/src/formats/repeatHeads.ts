import type { Weight } from './Weights.ts'

/**
 * Key or value weights of `groups` heads for `heads` heads: each head's columns stand as often as query heads share it, one beside the other. The
 * same numbers come out of attention; the shared heads take the room of full ones.
 *
 * @param weight [C, groups·D]
 * @returns [C, heads·D]
 */
export function repeatHeads({ shape, values }: Weight, groups: number, heads: number): Weight {
  const [C = 0, shared = 0] = shape
  if (groups === heads) return { shape, values }
  const D = shared / groups
  const width = heads * D
  const repeated = new Float32Array(C * width)
  for (let head = 0; head < heads; head++) {
    const from = Math.floor((head * groups) / heads) * D
    for (let c = 0; c < C; c++) {
      repeated.set(values.subarray(c * shared + from, c * shared + from + D), c * width + head * D)
    }
  }
  return { shape: [C, width], values: repeated }
}
