import { PotluckError } from '@potluck/protocol'
import { type RingWords, ringWords } from '../secureSum/ring.ts'
import { decodeRing, encodeRing, type RingFormat } from '../secureSum/ringFixed.ts'

/**
 * A member's answer to a query as words to be masked, with its part of the noise if there is any.
 *
 * @param noise whole numbers, in steps of 2^-fractionBits, one for each value: such as `noiseShare` draws
 * @throws PotluckError NO_HEADROOM (L-09), SHAPE
 */
export function queryWords(values: Float64Array, format: RingFormat, noise?: readonly bigint[]): RingWords {
  const words = encodeRing(values, format)
  if (noise === undefined) return words
  if (noise.length !== values.length) {
    throw new PotluckError('SHAPE', `expected ${values.length} numbers of noise, got ${noise.length}`)
  }
  // Noise wraps in the ring like everything else: a format with room for the values and six deviations never shows it.
  const out = ringWords(format.bits, words.length)
  if (out instanceof BigUint64Array) out.set(noise.map((value, i) => BigInt.asUintN(64, BigInt(words[i]!) + value)))
  else out.set(noise.map((value, i) => Number(BigInt.asUintN(format.bits, BigInt(words[i]!) + value))))
  return out
}

/** The answer of all members from the sum of their words. */
export const queryResult = (sum: RingWords, format: RingFormat): Float64Array => decodeRing(sum, format)
