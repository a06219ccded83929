import { PotluckError } from '@potluck/protocol'
import { exactExp64 } from '../math/exp64.ts'

export type Sampling = {
  /** 0 takes the largest logit, the first of equals; above 0 divides the logits by it before drawing. */
  readonly temperature: number
  /** Only the k largest logits take part, of equals the lower token first. Default all. */
  readonly topK?: number | undefined
  /** Only the likeliest tokens whose weights together reach this share take part; in (0, 1]. Default 1. */
  readonly topP?: number | undefined
}

/** Throws BAD_SAMPLING with the field and the value seen; BAD_TEMPERATURE for the temperature. */
export function checkSampling({ temperature, topK = 1, topP = 1 }: Sampling): void {
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw new PotluckError('BAD_TEMPERATURE', `temperature must be 0 or above, got ${temperature}`)
  }
  if (!Number.isSafeInteger(topK) || topK < 1) {
    throw new PotluckError('BAD_SAMPLING', `topK must be whole and at least 1, got ${topK}`)
  }
  if (!(topP > 0 && topP <= 1))
    throw new PotluckError('BAD_SAMPLING', `topP must be above 0 and at most 1, got ${topP}`)
}

/** The first of the largest logits. */
export const likeliest = (logits: Float32Array): number =>
  logits.reduce((best, value, i) => (value > logits[best]! ? i : best), 0)

/**
 * One token, a pure function of its arguments (E-19, E-35).
 *
 * Weights are e^((x − max)/temperature) in f64. topK and topP go by falling logit, of equals the lower token first; topP
 * keeps tokens until their running sum reaches topP times the sum of those topK left. Then, in order of token, the first
 * whose running sum exceeds uniform times the sum of those kept.
 *
 * @param uniform in [0, 1)
 */
export function sampleToken(logits: Float32Array, sampling: Sampling, uniform: number): number {
  const most = likeliest(logits)
  const { temperature, topK, topP } = sampling
  if (temperature === 0) return most
  const max = logits[most]!
  const weights = Array.from(logits, (value) => exactExp64((value - max) / temperature))
  const kept = topK === undefined && topP === undefined ? weights : masked(logits, weights, sampling)
  const limit = uniform * kept.reduce((sum, weight) => sum + weight, 0)
  let sum = 0
  for (const [token, weight] of kept.entries()) {
    sum += weight
    if (sum > limit) return token
  }
  return kept.findLastIndex((weight) => weight > 0)
}

/** The weights with those outside topK and topP at 0. */
function masked(logits: Float32Array, weights: readonly number[], { topK, topP = 1 }: Sampling): number[] {
  const order = Array.from(logits, (_, token) => token).sort((a, b) => logits[b]! - logits[a]! || a - b)
  const first = order.slice(0, topK ?? order.length)
  const limit = topP * first.reduce((sum, token) => sum + weights[token]!, 0)
  const kept = weights.map(() => 0)
  let sum = 0
  for (const token of first) {
    kept[token] = weights[token]!
    sum += weights[token]!
    if (sum >= limit) break
  }
  return kept
}
