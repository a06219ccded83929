import { PotluckError } from '@potluck/protocol'

/**
 * Members in clusters of short ways: each joins the nearest centre within `nearMs`, in the order given, or becomes the centre of a
 * new cluster (L-71). Everybody who has the same measurements forms the same clusters.
 *
 * @param latencyMs [n][n], one way between members i and j; the larger of both directions counts
 * @returns clusters of member numbers, each with its centre first, every member in exactly one
 * @throws PotluckError BAD_LATENCY when the table is not square or holds something else than numbers from 0
 */
export function groupByLatency(latencyMs: readonly (readonly number[])[], nearMs: number): number[][] {
  const clusters: number[][] = []
  const between = (a: number, b: number): number => {
    const ms = Math.max(latencyMs[a]?.[b] ?? Number.NaN, latencyMs[b]?.[a] ?? Number.NaN)
    if (!(ms >= 0)) throw new PotluckError('BAD_LATENCY', `latency between ${a} and ${b} must be at least 0, got ${ms}`)
    return ms
  }
  for (let member = 0; member < latencyMs.length; member++) {
    let home: number[] | undefined
    let homeMs = nearMs
    for (const cluster of clusters) {
      const ms = between(member, cluster[0] ?? member)
      if (ms < homeMs || (ms === homeMs && !home)) {
        home = cluster
        homeMs = ms
      }
    }
    if (home) home.push(member)
    else clusters.push([member])
  }
  return clusters
}
