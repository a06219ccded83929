import { PotluckError } from '@potluck/protocol'
import { BitOdds } from './BitOdds.ts'
import { EVEN, type RangeCoder } from './RangeCoder.ts'

/** Scales are below 2^16, so differences of scales and of gaps between them are as well. */
const MOST_BITS = 16

/**
 * Learned odds of whole numbers that are mostly near 0: how many bits |x| has, one step at a time; the sign; the bit below the leading
 * one, for each length apart; and the bits below that, which are even.
 */
export class NumberOdds {
  readonly #longer = new BitOdds(MOST_BITS + 1)
  readonly #sign = new BitOdds(1)
  readonly #second = new BitOdds(MOST_BITS + 1)

  /** @throws PotluckError BAD_SCALE when what is read is longer than any number written */
  code(coder: RangeCoder, x: number): number {
    const magnitude = Math.abs(x)
    const wanted = magnitude === 0 ? 0 : 32 - Math.clz32(magnitude)
    let length = 0
    while (this.#longer.code(coder, length, 0.5, length < wanted ? 1 : 0) === 1) {
      if (++length > MOST_BITS) throw new PotluckError('BAD_SCALE', `a scale differs by more than ${MOST_BITS} bits`)
    }
    if (length === 0) return 0
    const negative = this.#sign.code(coder, 0, 0.5, x < 0 ? 1 : 0)
    let coded = 1
    if (length > 1) coded = 2 + this.#second.code(coder, length, 0.5, (magnitude >>> (length - 2)) & 1)
    for (let i = length - 3; i >= 0; i--) coded = 2 * coded + coder.bit(EVEN, (magnitude >>> i) & 1)
    return negative === 1 ? -coded : coded
  }
}
