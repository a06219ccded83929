import {
  checkTrainingData,
  type Engine,
  type ModelConfig,
  modelOf,
  stateParts,
  stateSize,
  stepProgram,
  type TrainingData,
} from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

/** Rows with their targets, as the engine takes them. */
export type Rows = Extract<TrainingData, { kind: 'rows' }>

/** Losses and gradients of single rows under one model. */
export type RowGradients = {
  /** Numbers in the parameters, and in a gradient. */
  readonly size: number
  /** Sets where the gradients are taken. */
  at(parameters: Float32Array): void
  /** Loss of row `index` and the gradient of that loss, a new array. */
  of(rows: Rows, index: number): { readonly loss: number; readonly gradient: Float32Array }
}

/**
 * The engine's training step with a batch of one row and a rate of 0, read through its momentum: exact f32 gradients of any model
 * of rows.
 *
 * @throws PotluckError BAD_CONFIG, with dropout too; BAD_DATA for a model of texts, in which no row is one person's
 */
export async function rowGradients(engine: Engine, config: ModelConfig): Promise<RowGradients> {
  const model = modelOf(config)
  if (model.sample.kind !== 'rows') {
    throw new PotluckError('BAD_DATA', `a ${config.kind} model reads texts; gradients of rows need a model of rows`)
  }
  const { inputs } = model.sample
  const recipe = { steps: 1, batch: 1, optimizer: { kind: 'sgd' }, learningRate: 1 } as const
  const program = stepProgram(model, recipe)
  if (program.inputs.noise !== undefined) {
    throw new PotluckError('BAD_CONFIG', 'dropout draws at random within a row: leave it out of private training')
  }
  const execution = await engine.prepare(program)
  const size = stateSize(stateParts(model, recipe)) / 2
  const width = model.target.kind === 'numbers' ? model.target.count : 1
  execution.write('momentum', new Float32Array(size))
  execution.write('shares', Float32Array.of(1))
  execution.write('rates', Float32Array.of(0, 0))
  return {
    size,
    at: (parameters) => execution.write('parameters', parameters),
    of({ inputs: values, targets }, index) {
      execution.write('inputs', values.subarray(index * inputs, (index + 1) * inputs))
      execution.write('targets', targets.subarray(index * width, (index + 1) * width))
      execution.run()
      return { loss: execution.read('loss')[0] ?? 0, gradient: execution.read('momentum') }
    },
  }
}

/** How many rows there are, once they are checked against the model. */
export const countRows = (config: ModelConfig, rows: Rows): number => checkTrainingData(modelOf(config), rows)
