/** Which elements of one tensor have been written: disjoint stretches in ascending order, neighbours joined. */
export class WrittenParts {
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  /** Marks [start, end) as written; false when some of it already was. Cost: a binary search and a splice. */
  add(start: number, end: number): boolean {
    const at = this.#after(start)
    if (at > 0 && this.#ends[at - 1]! > start) return false
    if (at < this.#starts.length && this.#starts[at]! < end) return false
    const joinsLeft = at > 0 && this.#ends[at - 1] === start
    const joinsRight = this.#starts[at] === end
    const from = joinsLeft ? this.#starts[at - 1]! : start
    const to = joinsRight ? this.#ends[at]! : end
    const first = joinsLeft ? at - 1 : at
    const count = (joinsLeft ? 1 : 0) + (joinsRight ? 1 : 0)
    this.#starts.splice(first, count, from)
    this.#ends.splice(first, count, to)
    return true
  }

  /** Whether all of [start, end) is written. */
  covers(start: number, end: number): boolean {
    const at = this.#after(start)
    return at > 0 && this.#ends[at - 1]! >= end
  }

  /** How many stretches begin at or before `place`. */
  #after(place: number): number {
    let [low, high] = [0, this.#starts.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#starts[middle]! <= place) low = middle + 1
      else high = middle
    }
    return low
  }
}
