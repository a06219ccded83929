import { CHUNK } from './Compression.ts'
import { LargestOf } from './largestOf.ts'
import { fromScale } from './scale16.ts'
import { twoLevels } from './twoLevels.ts'

/**
 * What is left of values when of each chunk only the `keep` largest magnitudes are sent, each as its sign times one of the chunk's
 * two levels (L-22). Of equal magnitudes the lower index goes first; a chunk of `keep` values or fewer keeps all that are not 0.
 *
 * @param values any length; read only, no NaN
 * @returns zeros where nothing is sent
 *
 * Cost: two passes over each chunk and a sort of `keep` magnitudes.
 */
export function keepLargest(values: Float32Array, keep: number): Float32Array {
  const sent = new Float32Array(values.length)
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const magnitudes = new Uint32Array(CHUNK)
  const kept = new Float32Array(CHUNK)
  const largest = new LargestOf(CHUNK)
  for (let start = 0; start < values.length; start += CHUNK) {
    const size = Math.min(CHUNK, values.length - start)
    for (let i = 0; i < size; i++) magnitudes[i] = words[start + i]! & 0x7fffffff
    let { border, ties } = size > keep ? largest.border(magnitudes.subarray(0, size), keep) : { border: 0, ties: 0 }
    // Zeros say nothing, so they are not sent even where there is room for them.
    if (border === 0) ties = 0
    const tiesKept = ties
    let count = 0
    for (let i = 0; i < size; i++) {
      const magnitude = magnitudes[i]!
      if (magnitude > border || (magnitude === border && ties-- > 0)) kept[count++] = Math.abs(values[start + i]!)
    }
    if (count === 0) continue
    // Sorting is ascending; the levels want the largest first.
    const { low, high, from } = twoLevels(kept.subarray(0, count).sort().reverse())
    const [lowLevel, highLevel] = [fromScale(low), fromScale(high)]
    ties = tiesKept
    for (let i = 0; i < size; i++) {
      const magnitude = magnitudes[i]!
      if (magnitude > border || (magnitude === border && ties-- > 0)) {
        const value = values[start + i]!
        const level = Math.abs(value) >= from ? highLevel : lowLevel
        // A magnitude so small that its level is 0 stays unsent: plain 0, never −0.
        if (level > 0) sent[start + i] = value < 0 ? -level : level
      }
    }
  }
  return sent
}
