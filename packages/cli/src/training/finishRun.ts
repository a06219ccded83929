import { type Checkpoint, type Engine, type Evaluation, evaluateModel, stateParts, stateRoot } from '@potluck/engine'
import type { Hex } from '@potluck/protocol'
import { type Comparison, compareStudent } from '../distillation/compareStudent.ts'
import { exportModel } from './exportModel.ts'
import type { PreparedRun } from './prepareRun.ts'
import type { LoggedStep } from './report/RunLog.ts'
import type { RunLayout } from './trainingFolder.ts'

/** What a training gave, for programs. */
export type TrainReport = {
  /** Of the model. */
  readonly kind: string
  readonly params: number
  readonly steps: number
  /** Of training, over all times the run was resumed. */
  readonly seconds: number
  readonly executor: string
  readonly threads: number
  /** Mean loss of the last steps' batches, at most 100. */
  readonly train: { readonly loss: number }
  /** Of the exported parameters, on rows not trained on. */
  readonly valid: { readonly loss: number; readonly accuracy: number | null }
  /** On the test data; null without. */
  readonly test: Evaluation | null
  /** Root over parameters and optimiser after the last step (D-02): equal for equal runs on every machine. */
  readonly stateHash: Hex
  readonly files: readonly string[]
  /** With a teacher: what it and a student without one are worth on the same rows. */
  readonly distillation?: Comparison
}

/** How many last steps the training loss is a mean over. */
const LAST = 100

/** The parameters to use: those with the lowest validation loss. */
export const keptParameters = ({ best, state }: Checkpoint): Float32Array =>
  best?.parameters ?? state.parameters ?? new Float32Array(0)

/**
 * Evaluates the parameters with the lowest validation loss and writes them as files.
 *
 * @param log all steps of the run
 */
export async function finishRun(
  engine: Engine,
  run: PreparedRun,
  layout: RunLayout,
  checkpoint: Checkpoint,
  log: readonly LoggedStep[],
): Promise<TrainReport> {
  const { model, data, recipe, config } = run
  const parameters = keptParameters(checkpoint)
  const evaluate = (on: typeof data.train): Promise<Evaluation> =>
    evaluateModel(engine, model, { parameters, frozen: run.start.frozen }, on)
  const { loss, accuracy } = await evaluate(data.valid)
  const test = data.test ? await evaluate(data.test) : null
  const last = log.slice(-LAST)
  const files = exportModel(run, parameters, layout)
  return {
    kind: config.kind,
    params: run.plan.parameters,
    steps: recipe.steps,
    seconds: log.at(-1)?.seconds ?? 0,
    executor: engine.executor,
    threads: engine.threads,
    train: { loss: last.reduce((sum, step) => sum + step.loss, 0) / Math.max(1, last.length) },
    valid: { loss, accuracy },
    test,
    stateHash: stateRoot(stateParts(model, recipe).map(({ name }) => checkpoint.state[name] ?? new Float32Array(0))),
    files,
    ...(run.teacher ? { distillation: await compareStudent(engine, run, run.teacher) } : {}),
  }
}
