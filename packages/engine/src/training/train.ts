import { type Hex, PotluckError } from '@potluck/protocol'
import type { Engine } from '../createEngine.ts'
import { initialModelParameters } from '../model/initialModelParameters.ts'
import { sizeOfLayout } from '../model/layoutOf.ts'
import type { Model } from '../model/Model.ts'
import type { ModelConfig } from '../model/ModelConfig.ts'
import { writeWeights } from '../model/ModelWeights.ts'
import { modelOf } from '../model/modelOf.ts'
import { rowsOf } from '../model/modelScope.ts'
import type { Execution } from '../program/Execution.ts'
import { programRoot } from '../program/programRoot.ts'
import { batchDrawer } from './batchDrawer.ts'
import { type BestState, type Checkpoint, checkCheckpoint, seedHashOf } from './Checkpoint.ts'
import { type Evaluation, prepareEvaluation } from './evaluateModel.ts'
import { noiseOf } from './noiseOf.ts'
import { stepNumbers } from './schedule.ts'
import { stepProgram } from './stepProgram.ts'
import { checkTrainingData, type TrainingData } from './TrainingData.ts'
import { checkTrainingRecipe, type TrainingRecipe } from './TrainingRecipe.ts'
import { noiseSize } from './trainingScope.ts'
import { type StatePart, stateParts } from './updatePlan.ts'

export type TrainOptions = {
  readonly config: ModelConfig
  readonly recipe: TrainingRecipe
  readonly data: TrainingData
  /** Never trained on; gives the evaluations and the best state. */
  readonly validation?: TrainingData | undefined
  /** Decides start, batches and noise. 32 bytes by convention. */
  readonly seed: Uint8Array
  /** The start, laid out as `modelOf(config).parameters` says; else `initialModelParameters(model, seed)`. */
  readonly parameters?: Float32Array | undefined
  /** The fixed base of a model with adapters. */
  readonly frozen?: Float32Array | undefined
  /** Goes on where a checkpoint of the same program and seed ended. */
  readonly resume?: Checkpoint | undefined
  readonly signal?: AbortSignal | undefined
  /** Awaited between steps, so that the caller can do something else. */
  readonly pause?: (() => Promise<void>) | undefined
}

export type TrainingStep = {
  /** From 1. */
  readonly step: number
  /** Mean loss of the step's batch, before its update. */
  readonly loss: number
  readonly rate: number
  /** Norm of all gradients before clipping; null without clipping. */
  readonly norm: number | null
  /** Of the state after the step, where the recipe asks for one. */
  readonly evaluation: Evaluation | null
  readonly stateRoot: Hex | null
  /** The state after this step. Call it before the next step; costs a copy of the state. */
  checkpoint(): Checkpoint
}

export type TrainingResult = {
  readonly parameters: Float32Array
  /** Loss of every step of this call. */
  readonly losses: Float32Array
  /** After every `stateEverySteps` steps of this call and after the last (D-02: parameters, then the optimiser's tensors). */
  readonly stateRoots: readonly Hex[]
  /** The last evaluation; null without validation data. */
  readonly evaluation: Evaluation | null
  /** The state with the lowest validation loss; null without validation data. */
  readonly best: BestState | null
  readonly checkpoint: Checkpoint
}

/**
 * Trains a model of any kind: a pure function of (config, recipe, data, validation, seed, start), the same bits on every
 * machine and whether or not it was interrupted. Yields after every step; returns the result after the last.
 *
 * @throws PotluckError BAD_CONFIG, BAD_RECIPE, BAD_DATA, BAD_TOKEN, BAD_LABEL, SHORT_TEXT, EMPTY_DATA, SHAPE;
 * CHECKPOINT_MISMATCH for a checkpoint of another program or seed; NAN with operator, step and first index; the
 * signal's reason when aborted
 */
export async function* train(engine: Engine, options: TrainOptions): AsyncGenerator<TrainingStep, TrainingResult> {
  const { config, recipe, data, validation, seed, resume, signal, pause } = options
  const { steps, batch: B, accumulate: A = 1, evaluateEvery = steps, stateEverySteps = steps } = recipe
  checkTrainingRecipe(recipe)
  const model = modelOf(config)
  checkTrainingData(model, data, 'training data')
  const program = stepProgram(model, recipe)
  const identity = { programRoot: programRoot(program), seedHash: seedHashOf(seed) }
  const parts = stateParts(model, recipe)
  if (resume) checkCheckpoint(resume, identity, parts, steps)
  const evaluate = validation && (await prepareEvaluation(engine, model, validation, options.frozen, { signal, pause }))
  const execution = await engine.prepare(program)
  const first = resume?.step ?? 0
  start(execution, model, parts, options)
  execution.write('shares', new Float32Array(rowsOf(model, B)).fill(1 / (A * rowsOf(model, B))))
  const draw = batchDrawer(model, data, seed, A * B)
  const noises = A * noiseSize(model, B)
  const names = parts.map(({ name }) => name)
  const stateOf = (): Checkpoint['state'] => Object.fromEntries(names.map((name) => [name, execution.read(name)]))
  const losses = new Float32Array(steps - first)
  const stateRoots: Hex[] = []
  let best = resume?.best ?? null
  let evaluation: Evaluation | null = null
  let step = first
  const checkpointAt = (at: number): Checkpoint => ({ version: 1, ...identity, step: at, state: stateOf(), best })
  for (const numbers of stepNumbers(recipe, first + 1)) {
    signal?.throwIfAborted()
    const { inputs, targets } = draw(step)
    execution.write('inputs', inputs)
    execution.write('targets', targets)
    execution.write('rates', numbers)
    if (noises > 0) execution.write('noise', noiseOf(seed, step, noises))
    await withStep(step + 1, () => execution.run())
    const loss = execution.read('loss')[0]!
    losses[step - first] = loss
    step++
    const isDue = (every: number): boolean => step % every === 0 || step === steps
    let now: Evaluation | null = null
    if (evaluate && isDue(evaluateEvery)) {
      const parameters = execution.read('parameters')
      now = evaluation = await withStep(step, () => evaluate(parameters))
      if (!best || now.loss < best.loss) best = { step, loss: now.loss, parameters }
    }
    const stateRoot = isDue(stateEverySteps) ? execution.stateRoot(names) : null
    if (stateRoot) stateRoots.push(stateRoot)
    const norm = recipe.clip === undefined ? null : execution.read('norm')[0]!
    const at = step
    yield { step, loss, rate: numbers[0]!, norm, evaluation: now, stateRoot, checkpoint: () => checkpointAt(at) }
    if (pause && step < steps) await pause()
  }
  const parameters = execution.read('parameters')
  return { parameters, losses, stateRoots, evaluation, best, checkpoint: checkpointAt(step) }
}

/** What `train` is, for those that take it as an argument. */
export type Train = typeof train

/** Runs a training to its end. `onStep` is called after every step. */
export async function trainToEnd(
  engine: Engine,
  options: TrainOptions & { readonly onStep?: (step: TrainingStep) => void },
): Promise<TrainingResult> {
  const training = train(engine, options)
  for (;;) {
    const next = await training.next()
    if (next.done) return next.value
    options.onStep?.(next.value)
  }
}

function start(execution: Execution, model: Model, parts: readonly StatePart[], options: TrainOptions): void {
  const { resume, seed, frozen } = options
  const parameters = resume?.state.parameters ?? options.parameters ?? initialModelParameters(model, seed)
  writeWeights(execution, model, { parameters, frozen })
  for (const { name, layout } of parts.slice(1)) {
    execution.write(name, resume?.state[name] ?? new Float32Array(sizeOfLayout(layout)))
  }
}

/** A NaN names the step as well as the operator and the index (E-05). */
async function withStep<T>(step: number, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof PotluckError)) throw error
    throw new PotluckError(error.code, `step ${step}: ${error.message}`, { ...error.facts, step }, { cause: error })
  }
}
