import { squaredDistances } from './distances.ts'
import type { Aggregate, RuleInput } from './Rule.ts'
import { weightedSum } from './weightedSum.ts'

/**
 * Another rule over mixed updates: each member's is replaced by the mean of the n − attackers nearest to it, its own among them. Of equal
 * distances the lower number comes first.
 *
 * Its weight is what the inner rule gives to the mixtures it is part of, in equal parts. Order: distances as `squaredDistances`, mixtures
 * as `weightedSum` in the order of members (L-33). Cost: n² / 2 distances and n means. Source: arXiv:2302.01772.
 */
export function nearestNeighbours(
  input: RuleInput,
  attackers: number,
  then: (input: RuleInput) => Aggregate,
): Aggregate {
  const { updates } = input
  const n = updates.length
  const near = Math.max(1, n - attackers)
  const distances = squaredDistances(updates)
  const mixtures = updates.map((_, i) => {
    const order = updates.map((_, k) => ({ k, distance: distances[i * n + k]! }))
    order.sort((a, b) => a.distance - b.distance || (a.k === i ? -1 : b.k === i ? 1 : a.k - b.k))
    const weights = new Float64Array(n)
    for (const { k } of order.slice(0, near)) weights[k] = 1 / near
    return weights
  })
  const inner = then({ ...input, updates: mixtures.map((weights) => weightedSum(updates, weights)) })
  const weights = new Float64Array(n)
  mixtures.forEach((mixture, i) => {
    for (let k = 0; k < n; k++) weights[k]! += mixture[k]! * inner.weights[i]!
  })
  return { update: inner.update, weights: Float32Array.from(weights) }
}
