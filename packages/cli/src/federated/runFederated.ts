import type { BestState, Engine } from '@potluck/engine'
import type { Federate, FederatedCheckpoint, FederatedOptions, FederatedRound, RoundView } from '@potluck/learning'
import { type Facts, PotluckError } from '@potluck/protocol'
import type { ContributionScorer } from './contributionScorer.ts'
import type { RoundRecord } from './RoundRecord.ts'

export type FederatedHooks = {
  /** Called after every round, in order. */
  onRound(round: RoundRecord, secondsPerRound: number): void
  /** Called with the state every so many rounds, after the last and when stopped. */
  save(state: FederatedCheckpoint, best: BestState | null): void
  /** Rounds between two saves; 0 only at the end. */
  readonly checkpointEvery: number
  /** Whether to stop after this round, to go on another time. */
  stopAfter(round: number): boolean
  /** What each member gave in a round, where that is measured. */
  readonly scorer?: ContributionScorer | undefined
  /** Privacy spent with one more round of these members; undefined where none is promised. */
  spend(members: readonly number[]): number | undefined
  /** Milliseconds that only grow. */
  clock(): number
  /** Seconds since 1970. */
  now(): number
  /** Seconds of the run before it was resumed. */
  readonly secondsBefore: number
}

export type FederatedRun = {
  readonly isDone: boolean
  readonly round: number
  readonly state: FederatedCheckpoint
  /** The model with the lowest validation loss. */
  readonly best: BestState | null
}

/**
 * Trains to the last round, or until `stopAfter` says so; then the state is saved and the run can go on from it to the same bits.
 *
 * @param best what was best before the run was resumed
 * @throws PotluckError what `federate` throws; a NAN with advice
 */
export async function runFederated(
  federate: Federate,
  engine: Engine,
  options: FederatedOptions,
  best: BestState | null,
  hooks: FederatedHooks,
): Promise<FederatedRun> {
  const first = options.resume?.round ?? 0
  const startMs = hooks.clock()
  let model: Float32Array = new Float32Array(0)
  let scores: number[] | undefined
  const onUpdates = async (view: RoundView): Promise<void> => {
    model = view.next
    scores = hooks.scorer?.(view)
    await options.onUpdates?.(view)
  }
  const rounds = federate(engine, { ...options, onUpdates })
  for (;;) {
    const next = await withAdvice(() => rounds.next())
    if (next.done) {
      const state = next.value.checkpoint
      hooks.save(state, best)
      return { isDone: true, round: state.round, state, best }
    }
    const { round, evaluation } = next.value
    if (evaluation && (best === null || evaluation.loss < best.loss)) {
      best = { step: round, loss: evaluation.loss, parameters: model.slice() }
    }
    const seconds = (hooks.clock() - startMs) / 1000
    hooks.onRound(recordOf(next.value, hooks, seconds, scores), seconds / (round - first))
    const isStopped = round < options.rounds && hooks.stopAfter(round)
    const isDue = hooks.checkpointEvery > 0 && round % hooks.checkpointEvery === 0 && round < options.rounds
    if (!isStopped && !isDue) continue
    const state = next.value.checkpoint()
    hooks.save(state, best)
    if (isStopped) return { isDone: false, round, state, best }
  }
}

const thousandth = (value: number): number => Math.round(value * 1000) / 1000

function recordOf(
  done: FederatedRound,
  hooks: FederatedHooks,
  seconds: number,
  scores: readonly number[] | undefined,
): RoundRecord {
  const { round, loss, members, weights, norms, bytesUp, bytesDown } = done
  const epsilon = hooks.spend(members)
  const evaluation = done.evaluation ?? done.personal
  return {
    round,
    loss,
    ...(evaluation ? { valid: { loss: evaluation.loss, accuracy: evaluation.accuracy } } : {}),
    ...(done.personal ? { own: done.personal } : {}),
    members: [...members],
    weights: [...weights],
    norms: [...norms],
    bytesUp,
    bytesDown,
    seconds: thousandth(hooks.secondsBefore + seconds),
    time: thousandth(hooks.now()),
    ...(epsilon === undefined ? {} : { epsilon }),
    ...(scores ? { scores } : {}),
  }
}

/** What to do about a NaN: round and client are named by what threw it. */
async function withAdvice<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof PotluckError) || error.code !== 'NAN') throw error
    const message = `${error.message}; lower --rate, and look for extreme values in the data`
    throw new PotluckError(error.code, message, error.facts satisfies Facts, { cause: error })
  }
}
