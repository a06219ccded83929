import type { ScenarioWorld } from './ScenarioWorld.ts'

/** What should never happen and did, for every run of every scenario; empty when all is well. */
export function checkRun(world: ScenarioWorld): string[] {
  const { chain, ledger } = world
  const broken = [...ledger.broken]
  const places = new Map<string, number[]>()
  const keys = new Map<string, string>()
  for (const { number, set } of chain.rounds) {
    for (const { id, key } of set ?? []) {
      places.set(id, [...(places.get(id) ?? []), number])
      const other = keys.get(key)
      if (other !== undefined) broken.push(`S-10: piece ${key} counts twice, as ${other} and ${id}`)
      keys.set(key, id)
    }
  }
  for (const [id, { worker, round }] of ledger.accepted) {
    const sets = places.get(id) ?? []
    const place = chain.order?.placeOf.get(id)
    if (chain.order && place === undefined)
      broken.push(`S-15: the accepted delivery ${id} of worker ${worker} got no place in the order`)
    const models = place === 'stale' || place === 'behind' ? 0 : 1
    if (sets.length !== models)
      broken.push(
        `S-10: the accepted delivery ${id} of worker ${worker} in round ${round} is in ${sets.length} models (${sets.join(', ')})`,
      )
  }
  for (const [round, byNode] of ledger.roots) {
    const roots = new Set(byNode.values())
    const official = chain.roundAt(round)?.root
    if (official !== undefined) roots.add(official)
    if (roots.size > 1)
      broken.push(`S-11: nodes hold ${roots.size} models for round ${round}: ${[...roots].join(', ')}`)
  }
  for (const [key, byNode] of ledger.means) {
    const [round = 0, cluster = 0] = key.split('/').map(Number)
    const ids = new Set(byNode.values())
    const official = chain.roundAt(round)?.means[cluster]?.id
    if (official !== undefined) ids.add(official)
    if (ids.size > 1)
      broken.push(
        `S-14: keepers of cluster ${cluster} hold ${ids.size} means of round ${round}: ${[...ids].join(', ')}`,
      )
  }
  return broken
}
