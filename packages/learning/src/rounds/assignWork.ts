import { PotluckError } from '@potluck/protocol'

/** Each share of a round is worked off in so many pieces, each delivered when it is done. */
export const QUARTERS = 4

export type MeasuredSpeed = {
  readonly worker: string
  /** Inner steps a second, as measured over the last rounds; any positive number. */
  readonly stepsPerSecond: number
}

export type Assignment = { readonly worker: string; readonly quarters: number }

/**
 * How many quarters of work each worker does in a round, in proportion to its measured speed (L-69): whole quarters by largest
 * remainder, one at least, equal remainders by the order given. A worker twice as fast does twice the steps in the same time.
 *
 * @param quarters to give out, at least one a worker: QUARTERS times the number of shares
 * @throws PotluckError BAD_ASSIGNMENT for no worker, a speed that is not above 0, or fewer quarters than workers
 */
export function assignWork(speeds: readonly MeasuredSpeed[], quarters: number): Assignment[] {
  if (!Number.isSafeInteger(quarters) || quarters < Math.max(1, speeds.length)) {
    throw badAssignment(`needs at least one quarter for each of ${speeds.length} workers, got ${quarters}`)
  }
  for (const { worker, stepsPerSecond } of speeds) {
    if (!(stepsPerSecond > 0 && stepsPerSecond < 1e12))
      throw badAssignment(`the speed of ${worker} must be above 0 steps a second, got ${stepsPerSecond}`)
  }
  if (speeds.length === 0) throw badAssignment('there is no worker to give work to')
  const spare = quarters - speeds.length
  const total = speeds.reduce((sum, { stepsPerSecond }) => sum + stepsPerSecond, 0)
  const wanted = speeds.map(({ stepsPerSecond }) => (spare * stepsPerSecond) / total)
  const given = wanted.map(Math.floor)
  // Rounding may leave the floors one above the whole in the last bit; then nothing is left to give.
  const left = Math.max(0, spare - given.reduce((sum, count) => sum + count, 0))
  const order = wanted
    .map((want, i) => ({ i, rest: want - Math.floor(want) }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i)
  for (const { i } of order.slice(0, left)) given[i] = (given[i] ?? 0) + 1
  return speeds.map(({ worker }, i) => ({ worker, quarters: (given[i] ?? 0) + 1 }))
}

export type LostQuarters = {
  readonly share: number
  /** The first quarter that is missing, from 0. */
  readonly from: number
  /** Quarters that are missing, from there to the end of the share. */
  readonly left: number
}

/**
 * Who takes over shares whose worker is gone: the one that would be done first, counting what it took over before (L-69). A share goes
 * to one taker as a whole, since each quarter goes on where the one before ended.
 *
 * @param stepsPerQuarter inner steps of a quarter
 * @param leftMs time to the deadline; a share that nobody can finish in it is left out
 */
export function reassignQuarters(
  lost: readonly LostQuarters[],
  idle: readonly MeasuredSpeed[],
  stepsPerQuarter: number,
  leftMs: number,
): (LostQuarters & { readonly worker: string })[] {
  const busyMs = idle.map(() => 0)
  const taken: (LostQuarters & { readonly worker: string })[] = []
  // The longest rest first: it has the fewest takers.
  const order = [...lost].sort((a, b) => b.left - a.left || a.share - b.share)
  for (const piece of order) {
    const steps = piece.left * stepsPerQuarter
    let best = -1
    let bestMs = leftMs
    idle.forEach(({ stepsPerSecond }, i) => {
      const doneMs = (busyMs[i] ?? 0) + Math.ceil((1_000 * steps) / stepsPerSecond)
      if (doneMs < bestMs || (doneMs === bestMs && best < 0)) {
        best = i
        bestMs = doneMs
      }
    })
    const taker = idle[best]
    if (!taker) continue
    busyMs[best] = bestMs
    taken.push({ ...piece, worker: taker.worker })
  }
  return taken
}

const badAssignment = (problem: string): PotluckError => new PotluckError('BAD_ASSIGNMENT', problem)
