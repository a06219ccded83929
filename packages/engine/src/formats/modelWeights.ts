import type { Model } from '../model/Model.ts'
import { mergeLora } from '../model/mergeLora.ts'
import { flatWeights, type Weights, weightsByName } from './Weights.ts'

/**
 * The parameters of a model by name, those held fixed among them.
 *
 * @throws PotluckError SHAPE when an array does not fit its layout
 */
export const modelWeights = (model: Model, parameters: Float32Array, frozen = new Float32Array(0)): Weights =>
  new Map([...weightsByName(model.frozen, frozen), ...weightsByName(model.parameters, parameters)])

/**
 * The parameters of a model by name as any other program wants them: plain matrices, adapters worked in (`mergeLora`).
 *
 * @throws PotluckError SHAPE when an array does not fit its layout
 */
export function plainWeights(model: Model, parameters: Float32Array, frozen = new Float32Array(0)): Weights {
  const { config } = model
  if (config.kind !== 'llama' || !config.lora) return modelWeights(model, parameters, frozen)
  return weightsByName(model.frozen, mergeLora(config, frozen, parameters))
}

/** The way back: the two flat arrays of a model. Throws FORMAT_MISSING, SHAPE. */
export const flatModel = (model: Model, weights: Weights): { parameters: Float32Array; frozen: Float32Array } => ({
  parameters: flatWeights(model.parameters, weights),
  frozen: flatWeights(model.frozen, weights),
})
