import type { RangeCoder } from './RangeCoder.ts'

/** Beyond so many expected ones both counts are halved, so that the odds follow a model whose layers differ. */
const MEMORY = 64
/** No bit is surer than 4095 to 1, whatever was learned. */
const LEAST = 16
/** What both counts start with. With base ½ this makes the odds the Krichevsky–Trofimov estimate. */
const PRIOR = 0.5

/**
 * Learned odds of bits in numbered contexts. What is expected of a bit (`base`, in (0, 1)) is corrected by how often its context has
 * held so far:   p = base · (seen + ½) / (expected + ½)
 *
 * f64 by + × ÷ only: writer and reader reach the same odds on every machine.
 */
export class BitOdds {
  readonly #seen: Float64Array
  readonly #expected: Float64Array

  constructor(contexts: number) {
    this.#seen = new Float64Array(contexts).fill(PRIOR)
    this.#expected = new Float64Array(contexts).fill(PRIOR)
  }

  /** Writes or reads a bit that is expected with probability `base`, and learns from it. */
  code(coder: RangeCoder, context: number, base: number, bit: number): number {
    let seen = this.#seen[context]!
    let expected = this.#expected[context]!
    const odds = Math.floor((65536 * base * seen) / expected)
    const coded = coder.bit(odds < LEAST ? LEAST : odds > 65536 - LEAST ? 65536 - LEAST : odds, bit)
    seen += coded
    expected += base
    if (expected > MEMORY) {
      seen /= 2
      expected /= 2
    }
    this.#seen[context] = seen
    this.#expected[context] = expected
    return coded
  }
}
