/** Memory handed out and taken back, by address: the gaps in ascending order, neighbours joined, and an open end. */
export class FreePlaces {
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  #end: number

  /** @param from first address */
  constructor(from: number) {
    this.#end = from
  }

  /** The highest address ever in use. */
  get end(): number {
    return this.#end
  }

  /** The first gap that is large enough; a gap at the end grows as needed. Cost: one look at each gap before it. */
  take(bytes: number): number {
    for (let i = 0; i < this.#starts.length; i++) {
      const start = this.#starts[i]!
      const room = this.#ends[i]! - start
      const isLast = this.#ends[i] === this.#end
      if (room < bytes && !isLast) continue
      if (room > bytes) this.#starts[i] = start + bytes
      else {
        this.#starts.splice(i, 1)
        this.#ends.splice(i, 1)
        this.#end = Math.max(this.#end, start + bytes)
      }
      return start
    }
    const start = this.#end
    this.#end += bytes
    return start
  }

  give(start: number, bytes: number): void {
    const end = start + bytes
    let [low, high] = [0, this.#starts.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#starts[middle]! < start) low = middle + 1
      else high = middle
    }
    const joinsLeft = low > 0 && this.#ends[low - 1] === start
    const joinsRight = this.#starts[low] === end
    const from = joinsLeft ? this.#starts[low - 1]! : start
    const to = joinsRight ? this.#ends[low]! : end
    const first = joinsLeft ? low - 1 : low
    const count = (joinsLeft ? 1 : 0) + (joinsRight ? 1 : 0)
    this.#starts.splice(first, count, from)
    this.#ends.splice(first, count, to)
  }
}
