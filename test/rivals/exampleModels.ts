import type { Engine } from '../../packages/engine/src/createEngine.ts'
import { plainWeights } from '../../packages/engine/src/formats/modelWeights.ts'
import type { Weights } from '../../packages/engine/src/formats/Weights.ts'
import { sizeOfLayout } from '../../packages/engine/src/model/layoutOf.ts'
import type { Model } from '../../packages/engine/src/model/Model.ts'
import type { ModelConfig } from '../../packages/engine/src/model/ModelConfig.ts'
import { modelOf } from '../../packages/engine/src/model/modelOf.ts'
import { outputProgram } from '../../packages/engine/src/model/outputProgram.ts'

/** One small model of each kind, and of each variant that is written differently. */
export const exampleConfigs: Readonly<Record<string, ModelConfig>> = {
  logistic: { kind: 'logistic', inputs: 7, classes: 3 },
  mlp: { kind: 'mlp', inputs: 6, hidden: [9, 5], activation: 'gelu', classes: 4 },
  'mlp regression': { kind: 'mlp', inputs: 6, hidden: [8], activation: 'silu', regression: 2, dropout: 0.5 },
  'mlp reluSquared': { kind: 'mlp', inputs: 6, hidden: [8], activation: 'reluSquared', classes: 2 },
  'mlp tanh': { kind: 'mlp', inputs: 6, hidden: [8], activation: 'tanh', classes: 2 },
  'mlp sigmoid': { kind: 'mlp', inputs: 6, hidden: [8], activation: 'sigmoid', classes: 2 },
  cnn: {
    kind: 'cnn',
    height: 13,
    width: 11,
    channels: 2,
    convolutions: [
      { channels: 4, kernel: 3, stride: 1, padding: 1, pool: 2 },
      { channels: 5, kernel: 2, stride: 2, padding: 0, pool: 1 },
    ],
    hidden: [6],
    classes: 3,
  },
  gpt: { kind: 'gpt', vocabulary: 19, context: 8, width: 12, layers: 2, heads: 3, dropout: 0.1 },
  'gpt with biases': {
    kind: 'gpt',
    vocabulary: 19,
    context: 8,
    width: 12,
    layers: 1,
    heads: 2,
    bias: true,
    tie: false,
  },
  llama: { kind: 'llama', vocabulary: 19, context: 8, width: 16, layers: 2, heads: 2, hidden: 20 },
  'llama tied': { kind: 'llama', vocabulary: 19, context: 8, width: 16, layers: 1, heads: 4, hidden: 20, tie: true },
  'llama with adapters': {
    kind: 'llama',
    vocabulary: 19,
    context: 8,
    width: 16,
    layers: 2,
    heads: 2,
    hidden: 20,
    lora: { rank: 3, alpha: 6, matrices: ['query', 'up', 'down'] },
  },
}

/** Numbers spread over (-1, 1), the same at every run. */
export function sampleNumbers(count: number, seed: number): Float32Array {
  let state = seed >>> 0
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 0x800000 - 1
  })
}

/** A model with made-up parameters, large enough that every part of it shows in the result. */
export type Example = { model: Model; parameters: Float32Array; frozen: Float32Array; weights: Weights }

export function exampleModel(config: ModelConfig, scale = 0.5): Example {
  const model = modelOf(config)
  const parameters = sampleNumbers(sizeOfLayout(model.parameters), 1).map((x) => x * scale)
  const frozen = sampleNumbers(sizeOfLayout(model.frozen), 2).map((x) => x * scale)
  return { model, parameters, frozen, weights: plainWeights(model, parameters, frozen) }
}

/** Our own outputs for B samples. */
export async function ownOutputs(
  engine: Engine,
  { model, parameters, frozen }: Example,
  B: number,
  inputs: Float32Array | Int32Array,
): Promise<Float32Array> {
  const execution = await engine.prepare(outputProgram(model, B))
  execution.write('parameters', parameters)
  if (model.frozen.length > 0) execution.write('frozen', frozen)
  for (const { name, values } of model.constants) execution.write(name, values())
  execution.write('inputs', inputs)
  execution.run()
  return execution.read('outputs')
}
