import { holdersNeeded } from '@potluck/learning'
import { fastRecover } from '@potluck/node/fastRecover'
import { type Hex, sha256, signDigest, utf8 } from '@potluck/protocol'
import type { ClosedList, IntakeDesk } from './IntakeDesk.ts'
import type { Process, Reply } from './Process.ts'
import type { Measured, Round, SetEntry } from './RoundChain.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'

export type ListRequest = { readonly kind: 'list'; readonly round: number }
type SignedList = ClosedList & { readonly signature: Uint8Array }

const digestOf = ({ round, entries }: ClosedList): Uint8Array =>
  sha256(utf8(`potluck simulated list/${round}/${entries.map(({ id, key }) => `${id}=${key}`).join('/')}`))

const signed = new WeakMap<ClosedList, SignedList>()
const signers = new WeakMap<SignedList, Hex>()

/** A keeper's list of a round, once it is closed; being asked is a reason to close. */
export async function closedListOf(
  { secret }: SimMachine,
  desk: IntakeDesk,
  process: Process,
  { round }: ListRequest,
): Promise<Reply> {
  desk.nudged.add(round)
  desk.changes.notify()
  const list = await desk.changes.until(process, `its own list of round ${round}`, () => desk.sealedListOf(round))
  return list
    ? { body: signList(list, secret), sizeBytes: 80 + 40 * list.entries.length }
    : { body: undefined, sizeBytes: 20 }
}

function signList(list: ClosedList, secret: Uint8Array): SignedList {
  const known = signed.get(list) ?? { ...list, signature: signDigest(digestOf(list), secret) }
  signed.set(list, known)
  return known
}

/**
 * Has the set of a round fixed: gathers the lists of enough keepers and posts what follows from them; whoever is first has it.
 *
 * What was accepted is held by more than two thirds of the keepers, so it stands in more of any such group of lists than a rival for the
 * same piece (L-70). Nothing that is in an earlier set goes in again.
 */
export async function fixSet(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  desk: IntakeDesk,
  round: Round,
): Promise<void> {
  const { chain, clusters, links } = world
  const keepers = world.keepersOf(machine.node)
  const fixed = (): Round['set'] => chain.setOf(round, machine.node)
  const needed = holdersNeeded(keepers.length)
  const own = desk.sealedListOf(round.number)
  const lists = new Map<number, ClosedList>(own ? [[machine.node, own]] : [])
  const changes = world.changes()
  const ask = async (keeper: SimMachine): Promise<void> => {
    while (!fixed() && lists.size < needed) {
      const body: ListRequest = { kind: 'list', round: round.number }
      const what = `the list of keeper ${keeper.node} of round ${round.number}`
      const answer = await links.call(process, keeper.node, { body, sizeBytes: 30 }, what, 5_000)
      const list = typeof answer === 'object' && answer !== null ? (answer as SignedList) : undefined
      if (list && signerOf(list) === keeper.address) {
        lists.set(keeper.node, list)
        changes.notify()
        return
      }
      await process.sleep(300, what)
    }
  }
  for (const keeper of keepers) if (keeper !== machine) process.spawn(() => ask(keeper))
  const names = (): string => {
    const silent = keepers.filter(({ node }) => !lists.has(node)).map(({ node }) => node)
    return `lists of round ${round.number} from ${needed - lists.size} of the keepers ${silent.join(', ')}`
  }
  process.spawn(async () => {
    await chain.watch(process, `somebody's set of round ${round.number}`, fixed)
    changes.notify()
  })
  await changes.until(process, names, () => fixed() || lists.size >= needed || undefined)
  if (fixed()) return
  const set = chooseSet([...lists.values()], chain.included, chain.idOf)
  const measured = measure(world, desk, round, set)
  await chain.post(process, `the set of round ${round.number}`, () =>
    chain.fixSet(round, clusters.clusterOf(machine.node) ?? 0, set, measured),
  )
}

function signerOf(list: SignedList): Hex {
  const known = signers.get(list) ?? fastRecover(digestOf(list), list.signature)
  signers.set(list, known)
  return known
}

/** For each piece the delivery that stands in most lists, of equals the lower id; nothing twice. Ascending by id. */
export function chooseSet(
  lists: readonly ClosedList[],
  included: ReadonlyMap<string, number>,
  idOf: ReadonlyMap<string, string>,
): SetEntry[] {
  const counts = new Map<string, { key: string; count: number }>()
  for (const { entries } of lists) {
    for (const { id, key } of entries) {
      const known = counts.get(id)
      if (known) known.count++
      else counts.set(id, { key, count: 1 })
    }
  }
  const best = new Map<string, { id: string; count: number }>()
  for (const [id, { key, count }] of counts) {
    if (included.has(id) || idOf.has(key)) continue
    const rival = best.get(key)
    if (!rival || count > rival.count || (count === rival.count && id < rival.id)) best.set(key, { id, count })
  }
  return [...best].map(([key, { id }]) => ({ id, key })).sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** How long each worker of the set took and how fast it trained, as this keeper saw it. */
function measure(world: ScenarioWorld, desk: IntakeDesk, round: Round, set: readonly SetEntry[]): Measured[] {
  const found = new Map<number, Measured>()
  for (const { id } of set) {
    if (!desk.holds(id)) continue
    const { from, key, steps, trainMs, arrivedMs } = desk.factsOf(id)
    const worker = world.machineOf(from)?.node
    if (worker === undefined || !key.startsWith(`${round.number}/`)) continue
    const tookMs = Math.max(Math.round(arrivedMs - round.openedMs), found.get(worker)?.tookMs ?? 0)
    found.set(worker, { worker, tookMs, stepsPerSecond: (1_000 * steps) / Math.max(1, trainMs) })
  }
  return [...found.values()]
}
