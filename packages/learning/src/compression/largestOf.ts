/**
 * Finds the `keep` largest magnitudes of a chunk without sorting it: counts by the upper 12 bits, then sorts only the bucket that
 * the border runs through. Reused from chunk to chunk, since the counters outweigh a small chunk.
 */
export class LargestOf {
  readonly #counts = new Uint32Array(4096)
  readonly #bucket: Uint32Array

  constructor(chunk: number) {
    this.#bucket = new Uint32Array(chunk)
  }

  /**
   * The border between kept and left: magnitudes above it are all kept, of those equal to it the first `ties` by index.
   *
   * @param magnitudes bits of |x| as f32, which sort like the numbers; longer than `keep`
   */
  border(magnitudes: Uint32Array, keep: number): { readonly border: number; readonly ties: number } {
    const counts = this.#counts.fill(0)
    for (let i = 0; i < magnitudes.length; i++) counts[magnitudes[i]! >>> 19]!++
    let top = counts.length - 1
    let above = 0
    while (above + counts[top]! < keep) above += counts[top--]!
    let inside = 0
    for (let i = 0; i < magnitudes.length; i++) {
      const word = magnitudes[i]!
      if (word >>> 19 === top) this.#bucket[inside++] = word
    }
    const bucket = this.#bucket.subarray(0, inside).sort()
    const border = bucket[inside - (keep - above)]!
    let larger = above
    for (let i = inside - 1; bucket[i]! > border; i--) larger++
    return { border, ties: keep - larger }
  }
}
