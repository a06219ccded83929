import { PotluckError } from '@potluck/protocol'
import type { Seat } from './runSteps.ts'

/** Places of the shared words, each on cache lines of its own: 32 words are 128 bytes. */
const word = {
  arrived: 0,
  meeting: 32,
  halted: 64,
  order: 96,
  command: 128,
  turned: 160,
  end: 192,
  failed: 224,
  posted: 256,
}
const words = 288
const nowhere = 0x7fffffff
/** Some 50 µs: about what sleeping and being woken costs. */
const spins = 20_000
/** A sleeper looks this often whether another thread has failed. */
const lookEveryMs = 500

/** The command that only wakes threads, so that they look for messages; others are numbers of executions. */
export const listen = -1

export type Order = { readonly number: number; readonly command: number; readonly turned: 0 | 1; readonly end: number }

/**
 * The shared words by which the threads of an engine keep step: a counter of orders that thread 0 raises, and a
 * barrier. Waiting spins for a moment and then sleeps; where sleeping is forbidden, as on the main thread of a browser
 * tab, it goes on spinning, so training belongs in a worker there.
 */
export class TeamControl {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #maySleep: boolean

  constructor(memory = new SharedArrayBuffer(4 * words)) {
    this.memory = memory
    this.#words = new Int32Array(memory)
    this.#maySleep = maySleep(this.#words)
  }

  /** Gives the next order to all threads; returns its number. Only thread 0 may. Odd numbers are orders half given. */
  give({ command, turned, end }: Omit<Order, 'number'>): number {
    Atomics.add(this.#words, word.order, 1)
    for (const [place, value] of [
      [word.halted, nowhere],
      [word.command, command],
      [word.turned, turned],
      [word.end, end],
    ] as const)
      Atomics.store(this.#words, place, value)
    const number = Atomics.add(this.#words, word.order, 1) + 1
    Atomics.notify(this.#words, word.order)
    return number
  }

  /** Waits for an order after number `seen`. A thread may miss one that does not need it. */
  next(seen: number): Order {
    for (;;) {
      this.#waitWhile(word.order, seen)
      const [number, command, turned, end] = [word.order, word.command, word.turned, word.end].map((place) =>
        Atomics.load(this.#words, place),
      ) as [number, number, number, number]
      const isWhole = number % 2 === 0 && Atomics.load(this.#words, word.order) === number
      if (isWhole) return { number, command, turned: turned === 0 ? 0 : 1, end }
    }
  }

  /** Counts a message to the threads' queues; to be called before the order that sends them there. */
  countMessage(): void {
    Atomics.add(this.#words, word.posted, 1)
  }

  /** How many messages every thread has been sent. */
  messages(): number {
    return Atomics.load(this.#words, word.posted)
  }

  /** Marks the team as broken: every thread that waits throws. */
  fail(): void {
    Atomics.store(this.#words, word.failed, 1)
    for (const place of [word.meeting, word.order]) Atomics.notify(this.#words, place)
  }

  seat(thread: number, threads: number): Seat {
    const at = this.#words
    return {
      thread,
      threads,
      meet: () => {
        const meeting = Atomics.load(at, word.meeting)
        if (Atomics.add(at, word.arrived, 1) < threads - 1) {
          this.#waitWhile(word.meeting, meeting)
          return
        }
        Atomics.store(at, word.arrived, 0)
        Atomics.add(at, word.meeting, 1)
        Atomics.notify(at, word.meeting)
      },
      halt: (step) => {
        let lowest = Atomics.load(at, word.halted)
        while (step < lowest) {
          const found = Atomics.compareExchange(at, word.halted, lowest, step)
          lowest = found === lowest ? step : found
        }
      },
      haltedAt: () => Atomics.load(at, word.halted),
    }
  }

  #waitWhile(place: number, value: number): void {
    for (;;) {
      for (let i = 0; i < spins; i++) if (Atomics.load(this.#words, place) !== value) return
      if (Atomics.load(this.#words, word.failed) !== 0) {
        throw new PotluckError('THREAD_FAILED', 'a thread of the engine has failed: make a new engine', {}, retry)
      }
      if (this.#maySleep) Atomics.wait(this.#words, place, value, lookEveryMs)
    }
  }
}

const retry = { remedy: 'retry' } as const

/** Whether this thread may sleep on a shared word. The comparison with another value returns at once where it may. */
function maySleep(words: Int32Array): boolean {
  try {
    Atomics.wait(words, 0, Atomics.load(words, 0) + 1, 0)
    return true
  } catch {
    return false
  }
}
