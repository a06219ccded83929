import { sha256 } from '@potluck/protocol'
import { philox } from './philox.ts'

/** What a stream of numbers is for: two purposes never share a number (E-14). Never renumber. */
export const streamPurpose = { initialParameters: 1, batches: 2, sampling: 3, noise: 4 } as const

/**
 * Random numbers as a pure function of (seed, purpose, step, index): any one of them can be computed alone.
 *
 * Key = the first two words of SHA-256(seed), big-endian; counter = (block, step, purpose, third word). Word i of a
 * step is word i mod 4 of block i div 4 (E-14). Cost: some 10 ns a word.
 */
export class RandomStream {
  readonly #key: Uint32Array
  readonly #counter: Uint32Array
  readonly #words = new Uint32Array(4)

  /** @param seed any bytes; 32 by convention */
  constructor(seed: Uint8Array, purpose: number, step: number) {
    const digest = sha256(seed)
    const view = new DataView(digest.buffer, digest.byteOffset)
    this.#key = Uint32Array.of(view.getUint32(0), view.getUint32(4))
    this.#counter = Uint32Array.of(0xffffffff, step, purpose, view.getUint32(8))
  }

  /** Word `index` of this step: 0 to 2^32 - 1. `index` < 2^33. */
  word(index: number): number {
    const block = Math.floor(index / 4)
    if (block !== this.#counter[0] || block === 0xffffffff) {
      this.#counter[0] = block
      philox(this.#counter, this.#key, this.#words)
    }
    return this.#words[index % 4]!
  }

  /** In [0, 1), a multiple of 2^-24: exact in f32. */
  uniform(index: number): number {
    return (this.word(index) >>> 8) / 0x1000000
  }

  /** An integer in 0 to limit - 1: floor(word · limit / 2^32), so one value differs from another by at most 2^-32. */
  below(index: number, limit: number): number {
    return Number((BigInt(this.word(index)) * BigInt(limit)) >> 32n)
  }

  /**
   * Near-normal, mean 0, variance 1 − 2^-32: the sum of twelve 16-bit uniforms, from words 6·index to 6·index + 5,
   * each giving its upper and lower half. Integers only, so it is exact; the tails end at ±6 and kurtosis is 2.9.
   */
  normal(index: number): number {
    let sum = 0
    for (let i = 0; i < 6; i++) {
      const word = this.word(6 * index + i)
      sum += (word >>> 16) + (word & 0xffff)
    }
    return Math.fround((sum - 12 * 32767.5) / 65536)
  }
}
