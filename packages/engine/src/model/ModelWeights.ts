import { PotluckError } from '@potluck/protocol'
import type { Execution } from '../program/Execution.ts'
import { sizeOfLayout } from './layoutOf.ts'
import type { Model } from './Model.ts'

/** The numbers a model runs with. `frozen` is the fixed base of a model with adapters, else absent. */
export type ModelWeights = { readonly parameters: Float32Array; readonly frozen?: Float32Array | undefined }

/** The arrays and tables that a model has. */
type Weighted = Pick<Model, 'parameters' | 'frozen' | 'constants'>

/** Throws SHAPE when the arrays do not have the model's sizes. */
export function checkWeights(model: Weighted, { parameters, frozen }: ModelWeights): void {
  const check = (name: string, layout: Model['parameters'], given: Float32Array | undefined): void => {
    const size = sizeOfLayout(layout)
    if ((given?.length ?? 0) !== size) {
      throw new PotluckError('SHAPE', `${name} of this model are ${size} numbers, got ${given?.length ?? 0}`)
    }
  }
  check('the parameters', model.parameters, parameters)
  check('the frozen parameters', model.frozen, frozen)
}

/** Fills the inputs that every program of a model has: parameters, fixed base, tables. */
export function writeWeights(execution: Execution, model: Weighted, weights: ModelWeights): void {
  checkWeights(model, weights)
  execution.write('parameters', weights.parameters)
  if (weights.frozen && model.frozen.length > 0) execution.write('frozen', weights.frozen)
  for (const { name, values } of model.constants) execution.write(name, values())
}
