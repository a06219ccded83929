import type { ModelConfig } from '../model/ModelConfig.ts'
import { RandomStream } from '../random/RandomStream.ts'
import type { TrainingData } from '../training/TrainingData.ts'
import type { TrainingRecipe } from '../training/TrainingRecipe.ts'

/** A small training of one model kind. */
export type ModelSample = { readonly config: ModelConfig; readonly recipe: TrainingRecipe; readonly data: TrainingData }

export const sampleSeed = Uint8Array.from({ length: 32 }, (_, i) => 7 * i)

/** Rows of normal numbers; the class is the number of rising signs, the target their mean. */
export function sampleRows(width: number, count: number, classes: number): TrainingData & { readonly kind: 'rows' } {
  const random = new RandomStream(Uint8Array.of(width, count), 98, 0)
  const inputs = Float32Array.from({ length: width * count }, (_, i) => random.normal(i))
  const targets = Int32Array.from({ length: count }, (_, r) => {
    const sum = inputs[r * width]! + inputs[r * width + 1]! + 0.5 * inputs[r * width + 2]!
    return Math.max(0, Math.min(classes - 1, Math.floor(sum + classes / 2)))
  })
  return { kind: 'rows', inputs, targets }
}

/** A text with a pattern to be learned. */
export const sampleTokens: TrainingData & { readonly kind: 'tokens' } = {
  kind: 'tokens',
  tokens: Uint8Array.from({ length: 300 }, (_, i) => (3 * i + Math.floor(i / 5)) % 11),
}

const recipe: TrainingRecipe = {
  steps: 5,
  batch: 3,
  optimizer: { kind: 'adamw' },
  learningRate: 0.01,
  warmupSteps: 2,
  decay: 'cosine',
  floor: 0.001,
  weightDecay: 0.1,
  clip: 1,
}
const rows = sampleRows(5, 23, 3)
const shape = { vocabulary: 11, context: 10, width: 12, layers: 2, heads: 3 }

/** Every kind of model, every optimiser, and every option of a training, at sizes with tails. */
export const modelSamples: Readonly<Record<string, ModelSample>> = {
  logistic: {
    config: { kind: 'logistic', inputs: 5, classes: 3 },
    recipe: { ...recipe, optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true }, decay: 'linear' },
    data: rows,
  },
  mlp: {
    config: { kind: 'mlp', inputs: 5, hidden: [9, 7], activation: 'gelu', dropout: 0.2, classes: 3 },
    recipe: { ...recipe, optimizer: { kind: 'muon' }, learningRate: 0.002 },
    data: rows,
  },
  'mlp for numbers': {
    config: { kind: 'mlp', inputs: 5, hidden: [6], activation: 'tanh', regression: 2 },
    recipe: { ...recipe, accumulate: 2, decay: 'constant' },
    data: { kind: 'rows', inputs: rows.inputs, targets: Float32Array.from({ length: 46 }, (_, i) => rows.inputs[i]!) },
  },
  cnn: {
    config: {
      kind: 'cnn',
      height: 7,
      width: 6,
      channels: 2,
      convolutions: [
        { channels: 3, kernel: 3, stride: 1, padding: 1, pool: 2 },
        { channels: 4, kernel: 2, stride: 1, padding: 0, pool: 1 },
      ],
      hidden: [5],
      dropout: 0.1,
      classes: 3,
    },
    recipe,
    data: sampleRows(84, 11, 3),
  },
  llama: {
    config: { kind: 'llama', ...shape, hidden: 17 },
    recipe: { ...recipe, checkpointing: true },
    data: sampleTokens,
  },
  gpt: {
    config: { kind: 'gpt', ...shape, bias: true, dropout: 0.1 },
    recipe: { ...recipe, accumulate: 2 },
    data: sampleTokens,
  },
}
