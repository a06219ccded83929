import { isQuorum } from '@potluck/learning'
import { attestDeliveries } from './attestDeliveries.ts'
import type { OpenedDelivery } from './Delivery.ts'
import type { DeliverRequest } from './deliver.ts'
import { gatherMeans, type MeanRequest, sayMean, serveMean } from './exchangeMeans.ts'
import type { ChunksRequest } from './fetchModel.ts'
import { fetchModel, keepModel, serveChunks } from './fetchModel.ts'
import { closedListOf, fixSet, type ListRequest } from './fixSet.ts'
import { IntakeDesk } from './IntakeDesk.ts'
import type { ModelFile } from './ModelFile.ts'
import type { Process, Reply } from './Process.ts'
import type { Round } from './RoundChain.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'
import { type OverdueShare, overdueShares, takeovers } from './takeovers.ts'
import type { Frame, FramesRequest } from './trailOf.ts'

type KeysRequest = { readonly kind: 'keys'; readonly keys: readonly string[] }
type Request = ChunksRequest | FramesRequest | KeysRequest | ListRequest | DeliverRequest | MeanRequest

/** So much of the deadline more is waited for a quorum. */
const PATIENCE = 4
/** Adding up and writing the next model: per number of each update. */
const NUMBERS_PER_MS = 200_000

/**
 * What a keeper does from start to crash: takes deliveries, closes its list of each round, has the set fixed, computes the next model and
 * says its root. Everything it ever said stands on its disk before.
 */
export async function runKeeper(world: ScenarioWorld, machine: SimMachine, process: Process): Promise<void> {
  const { chain, scenario } = world
  const desk = new IntakeDesk(world, machine, process)
  process.spawn(() => desk.run())
  if (scenario.buffered) process.spawn(() => attestDeliveries(world, machine, process, desk))
  process.answer = async (_, request) => {
    const asked = request as Request
    switch (asked.kind) {
      case 'chunks':
        return serveChunks(machine, asked)
      case 'deliver':
        return desk.take(asked.bytes)
      case 'list':
        return closedListOf(machine, desk, process, asked)
      case 'mean':
        return serveMean(machine, asked)
      case 'frames':
        return serveFrames(desk, asked.ids)
      case 'keys':
        return serveFrames(
          desk,
          asked.keys.map((key) => desk.idOf(key) ?? ''),
        )
    }
  }
  if (!chain.current) {
    await keepModel(world, machine, process, world.start)
    const there = scenario.workers - scenario.churn.late
    const isThere = (): true | undefined => chain.members.size >= there || chain.current !== undefined || undefined
    const names = (): string => `${there - chain.members.size} more workers to join`
    // Who does not come in this time is not waited for.
    await chain.watch(process, names, isThere, process.nowMs + scenario.deadline.mostMs)
    await chain.post(process, 'the first round to open', () => chain.openFirst(world.start.root))
  }
  const isOld = (round: Round): boolean => round.number + 1 < (chain.current?.number ?? 0)
  for (let number = 1; number <= scenario.rounds; number++) {
    // Whoever was away for long goes on with the last two rounds: of those before nobody holds the parts.
    number = Math.max(number, (chain.current?.number ?? 0) - 1)
    const round = await chain.watch(process, `round ${number} to open`, () => chain.roundAt(number))
    if (!round) return
    const base = await fetchModel(world, machine, process, round.baseRoot, () => !isOld(round))
    if (!base) continue
    if (scenario.buffered) {
      const missing = (): string => `${chain.order?.missingFor(number)} more deliveries for model ${number}`
      await chain.watch(process, missing, () => round.set)
    } else if (!chain.setOf(round, machine.node)) {
      await gatherDeliveries(world, machine, process, desk, round)
      await desk.close(round)
      await fixSet(world, machine, process, desk, round)
    }
    const frames = await fetchSet(world, machine, process, desk, round, isOld)
    if (!frames) continue
    const sizeMs = (frames.length * base.values.length) / NUMBERS_PER_MS
    await process.sleep(sizeMs, `its own sum of round ${number}`)
    const next = await nextModel(world, machine, process, round, base, frames, isOld)
    if (!next) continue
    world.models.set(next.root, next)
    world.ledger.noteRoot(number, machine.node, next.root)
    await keepModel(world, machine, process, next)
    await chain.post(process, `the root of round ${number}`, () => chain.finalise(round, next.root))
    desk.forget(number - 1 - (scenario.buffered?.staleness ?? 0))
  }
}

/** What follows from a fixed set: at once, or by way of the means of all clusters. Undefined when the round is too old by then. */
async function nextModel(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  round: Round,
  base: ModelFile,
  frames: readonly OpenedDelivery[],
  isOld: (round: Round) => boolean,
): Promise<ModelFile | undefined> {
  if (world.scenario.aggregate === 'flat') return world.aggregate(round, base, frames)
  if (frames.length > 0) await sayMean(world, machine, process, round, world.regional.meanOf(round.number, frames))
  const means = await gatherMeans(world, machine, process, round, isOld)
  return means && world.regional.next(base, means)
}

/** Until all is there, or the deadline with a quorum of the work; meanwhile the work of those that are gone is given away. */
async function gatherDeliveries(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  desk: IntakeDesk,
  round: Round,
): Promise<void> {
  const { chain, scenario } = world
  const keepers = world.keepersOf(machine.node)
  const expected = round.expectedOf[desk.cluster] ?? 0
  const lastsMs = (): number => round.deadlineMs - round.openedMs
  const missing = (): string => {
    const gone = desk.missingOf(round)
    const shown = gone
      .slice(0, 5)
      .map(({ share, piece, worker }) => `worker ${worker} (share ${share}, piece ${piece})`)
    return `deliveries of round ${round.number}: ${shown.join(', ')}${gone.length > 5 ? ` and ${gone.length - 5} more` : ''}`
  }
  const isEnough = (): true | undefined => {
    const arrived = desk.countOf(round.number)
    if (chain.setOf(round, machine.node) || desk.nudged.has(round.number) || arrived >= expected) return true
    if (process.nowMs < round.deadlineMs) return undefined
    return (
      isQuorum(BigInt(arrived), BigInt(expected)) ||
      process.nowMs >= round.deadlineMs + PATIENCE * lastsMs() ||
      undefined
    )
  }
  let given = 0
  while (!isEnough()) {
    let lost = overdueShares(world, desk, round)
    if (lost.now.length > 0) {
      await catchUp(world, machine, process, desk, round, lost.now)
      lost = overdueShares(world, desk, round)
    }
    // Keepers look one after the other, so that usually one of them posts.
    const turn = (keepers.indexOf(machine) + round.number + given) % keepers.length
    if (scenario.reassign && lost.now.length > 0 && turn === 0) {
      const { tasks, doneMs } = takeovers(world, desk, round, lost.now)
      if (tasks.length > 0)
        await chain.post(process, `the reassignment of ${tasks.length} shares`, () =>
          chain.reassign(round, tasks, doneMs),
        )
    }
    given++
    const untilMs = Math.min(
      process.nowMs < round.deadlineMs ? round.deadlineMs : process.nowMs + Math.max(500, lastsMs() / 4),
      lost.now.length > 0
        ? process.nowMs + (scenario.reassign ? scenario.blockMs : 2_000)
        : Math.max(process.nowMs + 50, lost.nextMs),
    )
    await desk.changes.until(process, missing, isEnough, untilMs)
  }
}

/** What is overdue here may have reached the others while this keeper was down. */
async function catchUp(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  desk: IntakeDesk,
  round: Round,
  overdue: readonly OverdueShare[],
): Promise<void> {
  const others = world.keepersOf(machine.node).filter((keeper) => keeper !== machine)
  if (others.length === 0) return
  const keeper = world.draws(`catch up/${machine.node}/${process.nowMs}`).pick(others).node
  const keys = overdue.flatMap(({ share, from, left }) =>
    Array.from({ length: left }, (_, i) => `${round.number}/${share}/${from + i}`),
  )
  const body: KeysRequest = { kind: 'keys', keys }
  const what = `what keeper ${keeper} has of ${keys.length} overdue pieces`
  const answer = await world.links.call(process, keeper, { body, sizeBytes: 20 + 12 * keys.length }, what, 3_000)
  if (Array.isArray(answer)) for (const { bytes } of answer as Frame[]) desk.adopt(bytes, round)
}

/** All deliveries of a fixed set, those it lacks from the other keepers. */
async function fetchSet(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  desk: IntakeDesk,
  round: Round,
  isOld: (round: Round) => boolean,
): Promise<OpenedDelivery[] | undefined> {
  const others = world.keepersOf(machine.node).filter((keeper) => keeper !== machine)
  const draws = world.draws(`set/${machine.node}/${round.number}`)
  const set = (world.chain.setOf(round, machine.node) ?? []).map(({ id }) => id)
  for (;;) {
    const ids = set.filter((id) => !desk.holds(id))
    if (ids.length === 0) break
    if (isOld(round)) return undefined
    const keeper = draws.pick(others).node
    const body: FramesRequest = { kind: 'frames', ids }
    const what = `${ids.length} deliveries of round ${round.number} from keeper ${keeper}`
    const answer = await world.links.call(process, keeper, { body, sizeBytes: 20 + 32 * ids.length }, what, 10_000)
    if (Array.isArray(answer)) for (const { bytes } of answer as Frame[]) desk.keepFetched(bytes, ids)
    if (set.some((id) => !desk.holds(id))) await process.sleep(300, what)
  }
  return set.map((id) => desk.deliveryOf(id))
}

function serveFrames(desk: IntakeDesk, ids: readonly string[]): Reply {
  const found = ids.filter((id) => desk.holds(id)).map((id): Frame => ({ id, bytes: desk.bytesOf(id) }))
  return { body: found, sizeBytes: found.reduce((sum, { bytes }) => sum + bytes.length, 20) }
}
