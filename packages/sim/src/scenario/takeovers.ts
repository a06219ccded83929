import { reassignQuarters } from '@potluck/learning'
import type { IntakeDesk } from './IntakeDesk.ts'
import type { Round, Task } from './RoundChain.ts'
import type { ScenarioWorld } from './ScenarioWorld.ts'

export type OverdueShare = { readonly share: number; readonly from: number; readonly left: number }

/** A piece may take half as long again as the worker's measured speed says, and this much for fetching and sending. */
const PATIENCE = 1.5
const TRAVEL_MS = 2_500

/** Shares of which the next piece is overdue, and when to look again. */
export function overdueShares(
  world: ScenarioWorld,
  desk: IntakeDesk,
  round: Round,
): { now: OverdueShare[]; nextMs: number } {
  const { chain, scenario, scheduler } = world
  const steps = scenario.training.steps / scenario.pieces
  const now: OverdueShare[] = []
  let nextMs = Number.POSITIVE_INFINITY
  for (const task of lastTasks(world, desk, round)) {
    let piece = task.from
    let sinceMs = task.givenMs
    for (; piece < task.count; piece++) {
      const arrivedMs = desk.arrivalOf(`${round.number}/${task.share}/${piece}`)
      if (arrivedMs === undefined) break
      sinceMs = Math.max(sinceMs, arrivedMs)
    }
    if (piece === task.count) continue
    const speed = chain.members.get(task.worker)?.stepsPerSecond ?? scenario.speed.least
    const dueMs = sinceMs + TRAVEL_MS + (PATIENCE * 1_000 * steps) / speed
    if (scheduler.nowMs >= dueMs) now.push({ share: task.share, from: piece, left: task.count - piece })
    else nextMs = Math.min(nextMs, dueMs)
  }
  return { now, nextMs }
}

/** Who goes on with them: workers that are through with their own, by measured speed (L-69). */
export function takeovers(
  world: ScenarioWorld,
  desk: IntakeDesk,
  round: Round,
  lost: readonly OverdueShare[],
): { tasks: Task[]; doneMs: number } {
  const { chain, scenario, scheduler } = world
  const steps = scenario.training.steps / scenario.pieces
  const tasks = lastTasks(world, desk, round)
  const busy = new Set(lost.map(({ share }) => tasks.find((task) => task.share === share)?.worker))
  for (const task of tasks) {
    const isDone = desk.arrivalOf(`${round.number}/${task.share}/${task.count - 1}`) !== undefined
    if (!isDone) busy.add(task.worker)
  }
  const idle = [...new Set(tasks.map(({ worker }) => worker))]
    .filter((worker) => !busy.has(worker))
    .map((worker) => ({ worker: String(worker), stepsPerSecond: chain.members.get(worker)?.stepsPerSecond ?? 1 }))
  const leftMs = round.openedMs + scenario.deadline.mostMs - scheduler.nowMs
  const given = reassignQuarters(lost, idle, steps, leftMs)
  const taken = given.map(({ share, from, left, worker }): Task => {
    const trail = Array.from({ length: from }, (_, piece) => desk.idOf(`${round.number}/${share}/${piece}`) ?? '')
    return {
      round: round.number,
      share,
      worker: Number(worker),
      from,
      count: from + left,
      givenMs: scheduler.nowMs,
      trail,
    }
  })
  const slowestMs = Math.max(
    0,
    ...taken.map(({ worker, from, count }) => {
      const speed = chain.members.get(worker)?.stepsPerSecond ?? 1
      return TRAVEL_MS + (PATIENCE * 1_000 * steps * (count - from)) / speed
    }),
  )
  return { tasks: taken, doneMs: scheduler.nowMs + slowestMs }
}

/** Who has each share of the keeper's cluster at the moment. */
const lastTasks = ({ clusters }: ScenarioWorld, { cluster }: IntakeDesk, { tasks }: Round): Task[] => {
  const own = tasks.filter(({ share }) => clusters.clusterOf(share) === cluster)
  return [...new Map(own.map((task) => [task.share, task])).values()]
}
