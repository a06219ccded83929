import {
  batchOf,
  checkTrainingData,
  type Engine,
  type ModelConfig,
  modelOf,
  numbersPerStep,
  rowsOf,
  sizeOfLayout,
  stepProgram,
  type TrainingData,
  type TrainingRecipe,
  writeWeights,
} from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

export type LossAndGradient = {
  /** Mean over the rows. */
  readonly loss: number
  /** Of that mean by each parameter [P]. */
  readonly gradient: Float64Array
}

/** Loss and its gradient over all rows of some data, at some parameters. */
export type GradientProbe = (parameters: Float32Array, data: TrainingData) => LossAndGradient

/** The momentum after a first step from zero is the gradient, so a training step with rate 0 gives it to the bit. */
const recipeOf = (batch: number): TrainingRecipe => ({
  steps: 1,
  batch,
  optimizer: { kind: 'sgd', momentum: 0 },
  learningRate: 1,
})

/**
 * Prepares a probe for models of rows. Dropout is off. Sums over batches are f64, from the first; the same bits everywhere.
 *
 * @param batch rows of one pass
 * @throws PotluckError BAD_CONFIG; BAD_DATA for a model of texts; from the probe what checking data and running throw
 */
export async function gradientProbe(engine: Engine, config: ModelConfig, batch = 64): Promise<GradientProbe> {
  const model = modelOf('dropout' in config ? { ...config, dropout: 0 } : config)
  if (model.sample.kind !== 'rows') {
    throw new PotluckError('BAD_DATA', `contributions are measured on rows, a ${config.kind} model takes texts`)
  }
  const width = model.sample.inputs
  const P = sizeOfLayout(model.parameters)
  const recipe = recipeOf(batch)
  const execution = await engine.prepare(stepProgram(model, recipe))
  const checked = new WeakSet<TrainingData>()
  const none = new Float32Array(P)
  return (parameters, data) => {
    if (!checked.has(data)) checkTrainingData(model, data, 'rows to measure with')
    checked.add(data)
    if (data.kind !== 'rows') throw new PotluckError('BAD_DATA', 'contributions are measured on rows')
    const count = data.inputs.length / width
    const gradient = new Float64Array(P)
    let loss = 0
    for (let from = 0; from < count; from += batch) {
      const used = Math.min(batch, count - from)
      // The last batch is filled up with its first row, which then has no share in the loss.
      const rows = Array.from({ length: batch }, (_, i) => from + (i < used ? i : 0))
      const { inputs, targets } = batchOf(model, data, rows, width)
      const shares = new Float32Array(rowsOf(model, batch)).fill(1 / count, 0, used)
      writeWeights(execution, model, { parameters })
      execution.write('momentum', none)
      execution.write('inputs', inputs)
      execution.write('targets', targets)
      execution.write('shares', shares)
      execution.write('rates', new Float32Array(numbersPerStep(recipe)))
      execution.run()
      loss += execution.read('loss')[0]!
      const part = execution.read('momentum')
      for (let j = 0; j < P; j++) gradient[j]! += part[j]!
    }
    return { loss, gradient }
  }
}
