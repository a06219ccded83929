import { squaredDistances } from './distances.ts'
import type { Aggregate } from './Rule.ts'
import { weightedSum } from './weightedSum.ts'

/**
 * The mean of the `keep` members with the lowest scores, a score being the sum of squared distances to the nearest n − attackers − 2
 * others (at least one). Of equal scores the lower number comes first. It leaves out honest members whose data differ.
 *
 * Order: distances as `squaredDistances`, a score from the nearest out in f64, the mean as `weightedSum` in the order of members (L-33).
 * Source: arXiv:1703.02757. It needs n ≥ 2 · attackers + 3.
 */
export function multiKrum(updates: readonly Float32Array[], attackers: number, keep?: number): Aggregate {
  const n = updates.length
  const scores = krumScores(updates, attackers)
  const wanted = Math.max(1, Math.min(n, keep ?? n - attackers))
  const chosen = scores
    .map((score, i) => ({ score, i }))
    .sort((a, b) => a.score - b.score || a.i - b.i)
    .slice(0, wanted)
  const weights = new Float64Array(n)
  for (const { i } of chosen) weights[i] = 1 / wanted
  return { update: weightedSum(updates, weights), weights: Float32Array.from(weights) }
}

function krumScores(updates: readonly Float32Array[], attackers: number): number[] {
  const n = updates.length
  const nearest = Math.max(1, n - attackers - 2)
  const distances = squaredDistances(updates)
  return updates.map((_, i) => {
    const others = distances.slice(i * n, (i + 1) * n).filter((_, k) => k !== i)
    return others
      .sort()
      .subarray(0, nearest)
      .reduce((sum, distance) => sum + distance, 0)
  })
}
