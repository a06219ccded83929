import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'

/** Says that a node holds the thing with this root or id. */
export function sayHolder({ holders }: ScenarioWorld, node: number, root: string): void {
  const known = holders.get(root) ?? []
  if (!known.includes(node)) known.push(node)
  holders.set(root, known)
}

/**
 * Nodes that said they hold a thing, for one that looks for it. With clusters those of its own cluster, where there are any, and others
 * only when it has waited long enough for one.
 *
 * @param avoided nodes that are not to be asked
 */
export function whoHas(
  { holders, clusters }: ScenarioWorld,
  { node }: SimMachine,
  root: string,
  waitedMs: number,
  sizeBytes: number,
  avoided: ReadonlySet<number> = new Set(),
): number[] {
  const all = (holders.get(root) ?? []).filter((other) => other !== node && !avoided.has(other))
  if (clusters.count === 1) return all
  const home = clusters.clusterOf(node)
  const near = all.filter((other) => clusters.clusterOf(other) === home)
  return near.length > 0 ? near : waitedMs >= clusters.patienceMs(sizeBytes) ? all : []
}
