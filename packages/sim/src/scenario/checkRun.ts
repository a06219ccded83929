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
    if (sets.length !== 1)
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
  return broken
}
