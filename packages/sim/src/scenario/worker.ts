import type { Attack } from '@potluck/learning'
import type { PieceJob } from './computePiece.ts'
import { write } from './Disk.ts'
import { deliver } from './deliver.ts'
import { type ChunksRequest, fetchModel, serveChunks } from './fetchModel.ts'
import { garbageFrom } from './garbage.ts'
import { seedOf } from './nextModel.ts'
import type { Process } from './Process.ts'
import type { Round, Task } from './RoundChain.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'
import { trailOf } from './trailOf.ts'

/** A delivery that stands on disk before anybody hears of it, so that a crash neither loses nor repeats work. */
export type Sealed = {
  readonly key: string
  readonly round: number
  readonly share: number
  readonly piece: number
  readonly bytes: Uint8Array
  isSettled: boolean
}
export const outbox = { name: 'outbox' } as { readonly name: string; readonly holds?: Sealed }
const residuals = { name: 'residual' } as { readonly name: string; readonly holds?: Float32Array }

export const keyOf = (round: number, share: number, piece: number): string => `${round}/${share}/${piece}`

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
  const seen = new Set<Task>()
  for (;;) {
    const next = (): { round: Round; task: Task } | 'done' | undefined => {
      if (chain.isDone) return 'done'
      const round = chain.current
      const task = round?.tasks.find((one) => one.worker === node && !seen.has(one))
      return round && task && !round.set ? { round, task } : undefined
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
  const { scenario, chain, ledger } = world
  const { disk, node, liar } = machine
  const { steps } = scenario.training
  const startMs = process.nowMs
  const base = await fetchModel(world, machine, process, round.baseRoot, () => !round.set)
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
    if (round.set || chain.workerOf(round, task.share, piece) !== node) return
    const own = steps / scenario.pieces
    const trainMs = Math.round((1_000 * own) / machine.stepsPerSecond)
    const header = {
      ...{ round: round.number, base: round.baseRoot, share: task.share, piece, steps: own, fetchMs, trainMs },
    }
    const lie = liar?.kind === 'attack' ? lieOf(world, machine, liar.attack) : undefined
    if (lie) ledger.lies++
    const compute = world.crew.start({
      ...{ header, state, lie, secret: machine.secret, residual: disk.get(residuals, 'own') },
      seed: seedOf(scenario.seed, 'batches', round.number, task.share, piece),
      keepsUpdate: piece + 1 < task.count,
    })
    await train(world, machine, process, own, trainMs)
    const { bytes, residual, update, from, decoded } = await world.scheduler.real(process.life, compute)
    world.deliveries.remember(bytes, from, decoded)
    if (update) state = minus(state, update)
    const sealed: Sealed = { key, round: round.number, share: task.share, piece, bytes, isSettled: false }
    const kept = residual ? [write(residuals, 'own', residual, residual.length)] : []
    // Both or neither: a residual without its delivery would send the same twice, or never.
    disk.put(write(outbox, key, sealed, bytes.length), ...kept)
    await disk.sync(process)
    if (liar?.kind === 'garbage') process.spawn(() => garbageFrom(world, machine, process, sealed.bytes))
    process.spawn(() => deliver(world, machine, process, sealed, { fetchMs, trainMs }))
  }
  for (const old of disk.all(outbox)) if (old.round < round.number - 1) disk.remove(outbox, old.key)
}

/** The time that steps take; what of them a crash cuts off is counted as computed and lost. */
async function train(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  steps: number,
  ms: number,
): Promise<void> {
  machine.training = { sinceMs: process.nowMs, steps }
  await process.sleep(ms, 'its own training')
  machine.training = undefined
  world.ledger.stepsComputed += steps
  world.ledger.trainedMs += ms
}

const lieOf = ({ scenario: { seed, rule } }: ScenarioWorld, { node }: SimMachine, attack: Attack): PieceJob['lie'] => ({
  ...{ attack, rule, seed: seedOf(seed, 'attack', node), poisonSeed: seedOf(seed, 'poison', node) },
})

const minus = (state: Float32Array, update: Float32Array): Float32Array =>
  state.map((value, p) => value - (update[p] ?? 0))

/** The state after a delivery, as others know it. */
export function movedBy(world: ScenarioWorld, state: Float32Array, bytes: Uint8Array): Float32Array {
  const opened = world.deliveries.open(bytes)
  return opened.ok ? minus(state, world.deliveries.decode(opened.delivery)) : state
}
