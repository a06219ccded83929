import type { Process } from './Process.ts'
import type { Task } from './RoundChain.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'
import { movedBy } from './worker.ts'

export type FramesRequest = { readonly kind: 'frames'; readonly ids: readonly string[] }
export type Frame = { readonly id: string; readonly bytes: Uint8Array }

/**
 * Where a share stands that somebody else began: the base moved by the pieces delivered so far, fetched from keepers. Undefined when the
 * round ended meanwhile.
 */
export async function trailOf(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  task: Task,
  base: Float32Array,
): Promise<Float32Array | undefined> {
  let state = base
  if (task.trail.length === 0) return state
  const round = world.chain.roundAt(task.round)
  const draws = world.draws(`trail/${machine.node}/${task.round}/${task.share}`)
  for (;;) {
    if (!round || world.chain.setOf(round, task.share)) return undefined
    const keeper = draws.pick(world.keepersOf(task.share)).node
    const body: FramesRequest = { kind: 'frames', ids: task.trail }
    const request = { body, sizeBytes: 20 + 32 * task.trail.length }
    const what = `the first pieces of share ${task.share} from keeper ${keeper}`
    const answer = await world.links.call(process, keeper, request, what, 5_000)
    if (Array.isArray(answer) && answer.length === task.trail.length) {
      for (const { bytes } of answer as Frame[]) state = movedBy(world, state, bytes)
      return state
    }
    await process.sleep(300, `a keeper with the first pieces of share ${task.share}`)
  }
}
