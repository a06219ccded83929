import type { Checkpoint, Engine, Train, TrainingResult, TrainOptions } from '@potluck/engine'
import { type Facts, PotluckError } from '@potluck/protocol'
import type { LoggedStep } from './report/RunLog.ts'

export type RunHooks = {
  /** Called after every step, in order. */
  onStep(step: LoggedStep, secondsPerStep: number): void
  /** Called with the state every so many steps, after the last step and when stopped. */
  save(checkpoint: Checkpoint): void
  /** Steps between two saves; 0 only at the end. */
  readonly checkpointEvery: number
  /** Whether to stop after this step, to go on another time. */
  stopAfter(step: number): boolean
  /** Milliseconds that only grow. */
  clock(): number
}

export type Run =
  | { readonly isDone: true; readonly result: TrainingResult; readonly seconds: number }
  | { readonly isDone: false; readonly step: number }

/**
 * Trains to the last step, or until `stopAfter` says so; then the state is saved and the run can go on from it to the same bits.
 *
 * @throws PotluckError what `train` throws; a NAN or an INDEX says in which step
 */
export async function runTraining(train: Train, engine: Engine, options: TrainOptions, hooks: RunHooks): Promise<Run> {
  const { steps } = options.recipe
  const first = options.resume?.step ?? 0
  const startMs = hooks.clock()
  const generator = train(engine, options)
  let done = first
  for (;;) {
    const next = await withStep(done + 1, () => generator.next())
    if (next.done) {
      hooks.save(next.value.checkpoint)
      return { isDone: true, result: next.value, seconds: (hooks.clock() - startMs) / 1000 }
    }
    const { step, loss, rate, norm, evaluation } = next.value
    done = step
    const seconds = (hooks.clock() - startMs) / 1000
    const valid = evaluation ? { valid: { loss: evaluation.loss, accuracy: evaluation.accuracy } } : {}
    hooks.onStep(
      { step, loss, rate, norm, seconds: Math.round(seconds * 1000) / 1000, ...valid },
      seconds / (step - first),
    )
    const isStopped = step < steps && hooks.stopAfter(step)
    const isDue = hooks.checkpointEvery > 0 && step % hooks.checkpointEvery === 0 && step < steps
    if (isStopped || isDue) hooks.save(next.value.checkpoint())
    if (isStopped) return { isDone: false, step }
  }
}

/** Adds the step to what stops a run: a NaN with its operator and index, an index out of range. */
async function withStep<T>(step: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof PotluckError) || (error.code !== 'NAN' && error.code !== 'INDEX')) throw error
    const advice = error.code === 'NAN' ? '; lower --rate, and look for extreme values in the data' : ''
    const facts: Facts = { ...error.facts, step: error.facts.step ?? step }
    const where = error.facts.step === undefined ? `step ${step}: ` : ''
    throw new PotluckError(error.code, `${where}${error.message}${advice}`, facts, { cause: error })
  }
}
