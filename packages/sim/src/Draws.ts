import { RandomStream } from '@potluck/engine'
import { utf8 } from '@potluck/protocol'

/** Random numbers of one seed, one independent stream a purpose: more draws for one thing leave all others as they were. */
export class Draws {
  #stream: RandomStream
  #next = 0

  constructor(seed: number, purpose: string) {
    this.#stream = new RandomStream(utf8(`potluck sim/${seed}/${purpose}`), 1, 0)
  }

  /** In [0, 1). */
  uniform(): number {
    return this.#stream.uniform(this.#next++)
  }

  /** An integer from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.#stream.below(this.#next++, to - from + 1)
  }

  /** True in `part` of all cases. */
  happens(part: number): boolean {
    return this.uniform() < part
  }

  pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)] as T
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.between(0, 255))
  }
}
