import { workWithoutRounds } from './bufferedWorker.ts'
import { deliver } from './deliver.ts'
import { type ChunksRequest, fetchModel, serveChunks } from './fetchModel.ts'
import type { Process } from './Process.ts'
import type { Round, Task } from './RoundChain.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'
import { trailOf } from './trailOf.ts'
import { keyOf, outbox, trainPiece } from './trainPiece.ts'

/** What a worker does from start to crash: join, then work off what the chain gives it, round after round. */
export async function runWorker(world: ScenarioWorld, machine: SimMachine, process: Process): Promise<void> {
  const { chain } = world
  const { node } = machine
  process.answer = async (_, request) => {
    const asked = request as ChunksRequest
    return asked.kind === 'chunks' ? serveChunks(machine, asked) : undefined
  }
  for (const sealed of machine.disk.all(outbox))
    if (!sealed.isSettled) process.spawn(() => deliver(world, machine, process, sealed))
  await chain.post(process, 'its place among the members', () => chain.join(node, machine.stepsPerSecond))
  if (world.scenario.buffered) return workWithoutRounds(world, machine, process)
  const seen = new Set<Task>()
  for (;;) {
    const next = (): { round: Round; task: Task } | 'done' | undefined => {
      if (chain.isDone) return 'done'
      const round = chain.current
      const task = round?.tasks.find((one) => one.worker === node && !seen.has(one))
      return round && task && !chain.setOf(round, task.share) ? { round, task } : undefined
    }
    const work = await chain.watch(process, () => `work in round ${(chain.current?.number ?? 0) + 1}`, next)
    if (!work || work === 'done') return
    seen.add(work.task)
    await workOff(world, machine, process, work.round, work.task)
  }
}

async function workOff(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  round: Round,
  task: Task,
): Promise<void> {
  const { scenario, chain } = world
  const { disk, node } = machine
  const { steps } = scenario.training
  const isFixed = (): boolean => chain.setOf(round, task.share) !== undefined
  const startMs = process.nowMs
  const base = await fetchModel(world, machine, process, round.baseRoot, () => !isFixed())
  if (!base) return
  const fetchMs = Math.round(process.nowMs - startMs)
  let state = await trailOf(world, machine, process, task, base.values)
  if (!state) return
  for (let piece = task.from; piece < task.count; piece++) {
    const key = keyOf(round.number, task.share, piece)
    const before = disk.get(outbox, key)
    if (before) {
      state = movedBy(world, state, before.bytes)
      continue
    }
    if (isFixed() || chain.workerOf(round, task.share, piece) !== node) return
    const own = steps / scenario.pieces
    const trainMs = Math.round((1_000 * own) / machine.stepsPerSecond)
    const header = {
      ...{ round: round.number, base: round.baseRoot, share: task.share, piece, steps: own, fetchMs, trainMs },
    }
    const { sealed, update } = await trainPiece(world, machine, process, header, state, piece + 1 < task.count)
    if (update) state = minus(state, update)
    process.spawn(() => deliver(world, machine, process, sealed, { fetchMs, trainMs }))
  }
  for (const old of disk.all(outbox)) if (old.round < round.number - 1) disk.remove(outbox, old.key)
}

const minus = (state: Float32Array, update: Float32Array): Float32Array =>
  state.map((value, p) => value - (update[p] ?? 0))

/** The state after a delivery, as others know it. */
export function movedBy(world: ScenarioWorld, state: Float32Array, bytes: Uint8Array): Float32Array {
  const opened = world.deliveries.open(bytes)
  return opened.ok ? minus(state, world.deliveries.decode(opened.delivery)) : state
}
