import { deliver } from './deliver.ts'
import { fetchModel } from './fetchModel.ts'
import type { Process } from './Process.ts'
import type { Round } from './RoundChain.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'
import { keyOf, outbox, trainPiece } from './trainPiece.ts'

/**
 * What a worker does without rounds once it has joined: trains its share from the newest model, delivers, and goes on at once (L-72). It
 * waits only for the first model, and for a new one after as many pieces from one model as make the next.
 */
export async function workWithoutRounds(world: ScenarioWorld, machine: SimMachine, process: Process): Promise<void> {
  const { chain, scenario } = world
  const { disk, node } = machine
  const size = scenario.buffered?.size ?? 1
  const nextPiece = (round: Round): number => {
    let piece = 0
    while (disk.get(outbox, keyOf(round.number, node, piece))) piece++
    return piece
  }
  for (;;) {
    const next = (): Round | 'done' | undefined => {
      if (chain.isDone) return 'done'
      const newest = chain.current
      return newest && nextPiece(newest) < size ? newest : undefined
    }
    const round = await chain.watch(process, () => `a model after ${(chain.current?.number ?? 0) - 1}`, next)
    if (!round || round === 'done') return
    await trainOnce(world, machine, process, round, nextPiece(round))
    const oldest = (chain.current?.number ?? 0) - 1
    for (const old of disk.all(outbox)) if (old.isSettled && old.round < oldest) disk.remove(outbox, old.key)
  }
}

async function trainOnce(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  round: Round,
  piece: number,
): Promise<void> {
  const { chain, scenario } = world
  const { node, stepsPerSecond } = machine
  const { steps } = scenario.training
  const startMs = process.nowMs
  // Peers keep the newest model and the one before.
  const isNear = (): boolean => (chain.current?.number ?? 0) <= round.number + 1
  const base = await fetchModel(world, machine, process, round.baseRoot, isNear)
  if (!base) return
  const fetchMs = Math.round(process.nowMs - startMs)
  const trainMs = Math.round((1_000 * steps) / stepsPerSecond)
  const header = { round: round.number, base: round.baseRoot, share: node, piece, steps, fetchMs, trainMs }
  const { sealed } = await trainPiece(world, machine, process, header, base.values, false)
  process.spawn(() => deliver(world, machine, process, sealed, { fetchMs, trainMs }))
}
