import { groupByLatency } from '@potluck/learning'
import type { Region, Scenario } from './Scenario.ts'

/** Who aggregates with whom. One cluster of all, unless the scenario says `aggregate: regional`. */
export type Clusters = {
  readonly count: number
  /** The cluster of a node, and of the share that is a worker's own; undefined for a number that is no node. */
  clusterOf(node: number): number | undefined
  /** How long somebody of the own cluster is waited for before something of this size is fetched from far away. */
  patienceMs(sizeBytes: number): number
}

/** Time for a request and an answer that nobody has to wait long for. */
const LEAST_PATIENCE_MS = 1_000

/**
 * Clusters of short ways (L-71) from the latencies of the links without jitter. Keepers have the lowest numbers, so that with one in each
 * region each cluster has one.
 *
 * @param regions of each node
 */
export function formClusters({ aggregate, keepers, links }: Scenario, regions: readonly Region[]): Clusters {
  if (aggregate === 'flat') return { count: 1, clusterOf: () => 0, patienceMs: () => 0 }
  // Nodes of one region have the same ways to all others: one row for each region.
  const rows = new Map(
    [...new Set(regions)].map((from) => [from, regions.map((to) => (to === from ? links.nearMs : links.farMs))]),
  )
  const table = regions.map((region) => rows.get(region) ?? [])
  const groups = groupByLatency(table, links.nearMs)
  const homes = new Map(groups.flatMap((members, cluster) => members.map((node) => [node, cluster])))
  const empty = groups.find(([centre = 0]) => centre >= keepers)
  if (empty) throw new Error(`no keeper is in the cluster of node ${empty[0]}`)
  const slowest = Math.min(...regions.flatMap(({ upMbit, downMbit }) => [upMbit, downMbit]))
  return {
    count: groups.length,
    clusterOf: (node) => homes.get(node),
    // The near ones first fetch one such thing from each of the others themselves.
    patienceMs: (sizeBytes) => LEAST_PATIENCE_MS + 4 * links.farMs + (2 * groups.length * sizeBytes) / (125 * slowest),
  }
}
