import {
  batchDrawer,
  checkTrainingData,
  type Engine,
  type Execution,
  type LocalPull,
  type Model,
  noiseOf,
  noiseSize,
  rowsOf,
  sizeOfLayout,
  stateParts,
  stepNumbers,
  stepProgram,
  type TrainingData,
  type TrainingRecipe,
  writeWeights,
} from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

export type LocalTask = {
  /** The model the round starts from [P]; read only. */
  readonly base: Float32Array
  readonly data: TrainingData
  /** Decides batches and noise: of job, round and client, so that a copied update is a wrong one. */
  readonly seed: Uint8Array
  /** Inner steps of this task; the recipe's when left out. Fewer for a slow machine. */
  readonly steps?: number
  /** SCAFFOLD's c − c_i [P], where the trainer is corrected. */
  readonly correction?: Float32Array
}

export type LocalRun = {
  /** base − trained [P]. */
  readonly update: Float32Array
  /** Mean over the steps of each batch's loss before its step. */
  readonly loss: number
}

/** Trains one participant after another in one execution: the program is compiled once, its memory is taken once. */
export type LocalTrainer = {
  readonly model: Model
  /** P */
  readonly parameters: number
  train(task: LocalTask): Promise<LocalRun>
}

/**
 * A trainer for the local steps of a round: a pure function of the task, the same bits on every machine (L-78). The
 * optimiser starts afresh with each task, so that an auditor needs nothing but the base.
 *
 * @param recipe `steps` are the inner steps H of a round
 * @throws PotluckError BAD_RECIPE; from `train` what checking the data and running throw, SHAPE, BAD_STEPS
 */
export async function localTrainer(
  engine: Engine,
  model: Model,
  recipe: TrainingRecipe,
  { pull = {}, frozen }: { readonly pull?: LocalPull; readonly frozen?: Float32Array } = {},
): Promise<LocalTrainer> {
  const { batch: B, accumulate: A = 1 } = recipe
  const execution = await engine.prepare(stepProgram(model, recipe, pull))
  execution.write('shares', new Float32Array(rowsOf(model, B)).fill(1 / (A * rowsOf(model, B))))
  const parts = stateParts(model, recipe).slice(1)
  const zeros = parts.map(({ name, layout }) => ({ name, values: new Float32Array(sizeOfLayout(layout)) }))
  const noises = A * noiseSize(model, B)
  const rates = [...stepNumbers(recipe)]
  const checked = new WeakSet<TrainingData>()
  const parameters = sizeOfLayout(model.parameters)
  const none = new Float32Array(parameters)

  function start({ base, correction = none }: LocalTask): void {
    writeWeights(execution, model, { parameters: base, frozen })
    for (const { name, values } of zeros) execution.write(name, values)
    if (pull.proximal) execution.write('anchor', base)
    if (pull.isCorrected) execution.write('correction', correction)
  }

  return {
    model,
    parameters,
    async train(task) {
      const { base, data, seed, steps = recipe.steps } = task
      if (!Number.isSafeInteger(steps) || steps < 1 || steps > recipe.steps) {
        throw new PotluckError('BAD_STEPS', `inner steps are 1 to ${recipe.steps}, got ${steps}`, { steps })
      }
      if (!checked.has(data)) {
        checkTrainingData(model, data, 'training data')
        checked.add(data)
      }
      start(task)
      const draw = batchDrawer(model, data, seed, A * B)
      let sum = 0
      for (let step = 0; step < steps; step++) {
        sum += runStep(execution, draw(step), rates[step]!, noises > 0 ? noiseOf(seed, step, noises) : null)
      }
      const trained = execution.read('parameters')
      return { update: base.map((before, i) => before - trained[i]!), loss: sum / steps }
    },
  }
}

function runStep(
  execution: Execution,
  { inputs, targets }: ReturnType<ReturnType<typeof batchDrawer>>,
  rates: Float32Array,
  noise: Float32Array | null,
): number {
  execution.write('inputs', inputs)
  execution.write('targets', targets)
  execution.write('rates', rates)
  if (noise) execution.write('noise', noise)
  execution.run()
  return execution.read('loss')[0]!
}
