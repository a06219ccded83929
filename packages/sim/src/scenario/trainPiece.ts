import type { Attack } from '@potluck/learning'
import type { Piece, PieceJob } from './computePiece.ts'
import { type Slot, write } from './Disk.ts'
import { garbageFrom } from './garbage.ts'
import { seedOf } from './nextModel.ts'
import type { Process } from './Process.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'

/** A delivery that stands on disk before anybody hears of it, so that a crash neither loses nor repeats work. */
export type Sealed = {
  readonly key: string
  readonly round: number
  readonly share: number
  readonly piece: number
  readonly bytes: Uint8Array
  isSettled: boolean
}
export const outbox: Slot<Sealed> = { name: 'outbox' }
const residuals: Slot<Float32Array> = { name: 'residual' }

export const keyOf = (round: number, share: number, piece: number): string => `${round}/${share}/${piece}`

/**
 * Trains one piece from `state` and has it on disk, sealed, with what compression has not sent yet.
 *
 * @param keepsUpdate whether the caller goes on from what training gave
 */
export async function trainPiece(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  header: PieceJob['header'],
  state: Float32Array,
  keepsUpdate: boolean,
): Promise<{ readonly sealed: Sealed; readonly update: Float32Array | undefined }> {
  const { scenario, ledger } = world
  const { disk, liar } = machine
  const { round, share, piece, steps, trainMs } = header
  const lie = liar?.kind === 'attack' ? lieOf(world, machine, liar.attack) : undefined
  if (lie) ledger.lies++
  const compute = world.crew.start({
    ...{ header, state, lie, secret: machine.secret, residual: disk.get(residuals, 'own') },
    seed: seedOf(scenario.seed, 'batches', round, share, piece),
    keepsUpdate,
  })
  await train(world, machine, process, steps, trainMs)
  const { bytes, residual, update, from, decoded }: Piece = await world.scheduler.real(process.life, compute)
  world.deliveries.remember(bytes, from, decoded)
  const key = keyOf(round, share, piece)
  const sealed: Sealed = { key, round, share, piece, bytes, isSettled: false }
  const kept = residual ? [write(residuals, 'own', residual, residual.length)] : []
  // Both or neither: a residual without its delivery would send the same twice, or never.
  disk.put(write(outbox, key, sealed, bytes.length), ...kept)
  await disk.sync(process)
  if (liar?.kind === 'garbage') process.spawn(() => garbageFrom(world, machine, process, sealed.bytes))
  return { sealed, update }
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
