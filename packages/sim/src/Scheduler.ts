/**
 * Simulated time: a heap of events, run one after the other. Between two events everything that the first set off has come to rest,
 * real I/O included, so one seed gives one history whatever the machine does meanwhile.
 */

/** One run of a process between start and crash. Nothing is ever delivered to a life that is over. */
export type Life = { isAlive: boolean }

type Event = { atMs: number; order: number; life: Life; run: () => void }

const comesFirst = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

export class Scheduler {
  #nowMs: number
  #heap: Event[] = []
  #order = 0
  #real: { life: Life; work: () => Promise<void> }[] = []
  #mark = 0x811c9dc5

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** A number that two runs share only when they ran the same events at the same times. */
  get mark(): number {
    return this.#mark >>> 0
  }

  /** Runs `run` after `delayMs`, unless the life has ended by then. */
  after(delayMs: number, life: Life, run: () => void): void {
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, life, run }
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!comesFirst(event, heap[parent] as Event)) break
      heap[at] = heap[parent] as Event
      at = parent
    }
    heap[at] = event
  }

  sleep(ms: number, life: Life, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = (): void => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.after(ms, life, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
    })
  }

  /** Does real asynchronous work in no simulated time; one piece at a time, in the order of asking. */
  real<T>(life: Life, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#real.push({ life, work: () => work().then(resolve, reject) })
    })
  }

  /** Runs events until `isOver` says so or time is up. Returns whether it was `isOver` that ended it. */
  async run(untilMs: number, isOver: () => boolean): Promise<boolean> {
    await this.#settle()
    while (!isOver()) {
      const event = this.#take()
      if (!event || event.atMs > untilMs) return false
      this.#nowMs = event.atMs
      if (!event.life.isAlive) continue
      this.#mark = Math.imul(this.#mark ^ event.order ^ Math.floor(event.atMs * 64), 0x01000193)
      event.run()
      await this.#settle()
    }
    return true
  }

  async #settle(): Promise<void> {
    for (;;) {
      // All microtasks run before the next immediate: then nothing is left that could go on without an event.
      await new Promise<void>((resolve) => setImmediate(resolve))
      const next = this.#real.shift()
      if (!next) return
      if (next.life.isAlive) await next.work()
    }
  }

  #take(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last || heap.length === 0) return first
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= heap.length) break
      const right = left + 1
      const child = right < heap.length && comesFirst(heap[right] as Event, heap[left] as Event) ? right : left
      if (!comesFirst(heap[child] as Event, last)) break
      heap[at] = heap[child] as Event
      at = child
    }
    heap[at] = last
    return first
  }
}
