import { type ClusterMean, isMean } from './ClusterMean.ts'
import { write } from './Disk.ts'
import { sayHolder, whoHas } from './holders.ts'
import type { Process, Reply } from './Process.ts'
import type { Round } from './RoundChain.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'

export type MeanRequest = { readonly kind: 'mean'; readonly id: string }

type KeptMean = ClusterMean & { readonly round: number }
const slot = { name: 'mean' } as { readonly name: string; readonly holds?: KeptMean }

/** Three times as long as somebody near is waited for, and this: a keeper that was killed meanwhile never answers. */
const TIMEOUT_MS = 2_000
const PAUSE_MS = 200

/** Puts the mean of the own cluster on disk and has it stand for the cluster (S-14). */
export async function sayMean(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  round: Round,
  mean: ClusterMean,
): Promise<void> {
  const { chain, clusters, ledger } = world
  const cluster = clusters.clusterOf(machine.node) ?? 0
  ledger.noteMean(round.number, cluster, machine.node, mean.id)
  await keepMean(world, machine, process, round.number, mean)
  const posted = { id: mean.id, sizeBytes: mean.bytes.length }
  await chain.post(process, `the mean of cluster ${cluster} of round ${round.number}`, () =>
    chain.fixMean(round, cluster, posted),
  )
}

/**
 * The means of all clusters that have deliveries in this round, in the clusters' order; what is not here comes from a keeper that has it.
 * One keeper of a cluster, by turns, fetches from far away; the others wait for it for a while.
 *
 * @returns undefined when the round is too old to go on with
 */
export async function gatherMeans(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  round: Round,
  isOld: (round: Round) => boolean,
): Promise<ClusterMean[] | undefined> {
  const { chain, keepers, clusters } = world
  const missing = (): number[] =>
    round.sets.flatMap((set, cluster) => (!set || (set.length > 0 && !round.means[cluster]) ? [cluster] : []))
  const names = (): string => {
    const shown = missing().map((cluster) => {
      const nodes = keepers.filter(({ node }) => clusters.clusterOf(node) === cluster).map(({ node }) => node)
      return `cluster ${cluster} (keepers ${nodes.join(', ')})`
    })
    return `the mean of round ${round.number} of ${shown.join(' and ')}`
  }
  await chain.watch(process, names, () => missing().length === 0 || isOld(round) || undefined)
  const wanted = round.means.flatMap((mean, cluster) => (mean ? [{ ...mean, cluster }] : []))
  const found = await Promise.all(
    wanted.map(({ id, sizeBytes, cluster }) =>
      fetchMean(world, machine, process, { round, cluster, id, sizeBytes }, isOld),
    ),
  )
  return isOld(round) || missing().length > 0 ? undefined : found.flatMap((mean) => mean ?? [])
}

type Wanted = { readonly round: Round; readonly cluster: number; readonly id: string; readonly sizeBytes: number }

async function fetchMean(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  { round, cluster, id, sizeBytes }: Wanted,
  isOld: (round: Round) => boolean,
): Promise<ClusterMean | undefined> {
  const known = machine.disk.get(slot, id)
  if (known) return known
  const near = world.keepersOf(machine.node)
  const isTurn = near[(round.number + cluster) % near.length] === machine
  const startMs = isTurn ? Number.NEGATIVE_INFINITY : process.nowMs
  const draws = world.draws(`mean/${machine.node}/${id}/${process.nowMs}`)
  const what = `the mean of cluster ${cluster} of round ${round.number}`
  const timeoutMs = TIMEOUT_MS + 3 * world.clusters.patienceMs(sizeBytes)
  while (!isOld(round)) {
    const holders = whoHas(world, machine, id, process.nowMs - startMs, sizeBytes)
    if (holders.length > 0) {
      const body: MeanRequest = { kind: 'mean', id }
      const answer = await world.links.call(process, draws.pick(holders), { body, sizeBytes: 40 }, what, timeoutMs)
      if (isMean(answer, id)) {
        const mean = { id, bytes: answer }
        await keepMean(world, machine, process, round.number, mean)
        return mean
      }
    }
    await process.sleep(PAUSE_MS, what)
  }
  return undefined
}

/** Safe on disk before anybody hears of it. Those of rounds that nobody works on any more go. */
async function keepMean(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  round: number,
  mean: ClusterMean,
): Promise<void> {
  const { disk, node } = machine
  for (const old of disk.all(slot)) if (old.round + 1 < round) disk.remove(slot, old.id)
  disk.put(write(slot, mean.id, { ...mean, round }, mean.bytes.length))
  await disk.sync(process)
  sayHolder(world, node, mean.id)
}

export function serveMean({ disk }: SimMachine, { id }: MeanRequest): Reply {
  const bytes = disk.get(slot, id)?.bytes
  return { body: bytes, sizeBytes: 20 + (bytes?.length ?? 0) }
}
