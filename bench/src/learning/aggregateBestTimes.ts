/** Times of the calls of a run, kept call by call: of each call the best of all rounds. */
export class BestTimes {
  readonly #best = new Map<string, number[]>()
  #now = new Map<string, number[]>()

  /** Begins another round. */
  begin(): void {
    this.#now = new Map()
  }

  /** Does some work and notes what it took as the next call of `what`. */
  of(what: string, work: () => void): void {
    const start = performance.now()
    work()
    this.note(what, performance.now() - start)
  }

  note(what: string, ms: number): void {
    const [now, best] = [this.#now.get(what) ?? [], this.#best.get(what) ?? []]
    best[now.length] = Math.min(best[now.length] ?? ms, ms)
    now.push(ms)
    this.#now.set(what, now)
    this.#best.set(what, best)
  }

  /** Milliseconds of `what` in this round. */
  last(what: string): number {
    return sum(this.#now.get(what) ?? [])
  }

  /** Milliseconds of `what` when each call takes its best time. */
  best(what: string): number {
    return sum(this.#best.get(what) ?? [])
  }
}

const sum = (times: readonly number[]): number => times.reduce((total, ms) => total + ms, 0)
