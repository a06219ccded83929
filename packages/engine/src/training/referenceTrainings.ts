import type { GptConfig, LlamaConfig } from '../model/ModelConfig.ts'
import type { TrainingRecipe } from './TrainingRecipe.ts'

/** The model that speed and memory are measured on. */
export const referenceModel: LlamaConfig = {
  kind: 'llama',
  vocabulary: 512,
  context: 128,
  width: 256,
  layers: 4,
  heads: 4,
  hidden: 768,
}

/** Its step: 8 windows, AdamW. */
export const referenceRecipe: TrainingRecipe = {
  steps: 100,
  batch: 8,
  optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.95, epsilon: 1e-8 },
  learningRate: 1e-3,
  weightDecay: 0.1,
}

/** nanoGPT's model for a CPU, on the characters of Shakespeare's plays (65 of them); norms have a shift here. */
export const shakespeareModel: GptConfig = {
  kind: 'gpt',
  vocabulary: 65,
  context: 64,
  width: 128,
  layers: 4,
  heads: 4,
  bias: false,
  tie: true,
  dropout: 0,
}

/** nanoGPT's own recipe for it: 2,000 steps on the first nine tenths of the text. Ends at 1.897 on the last tenth (seed 0). */
export const nanoGptRecipe: TrainingRecipe = {
  steps: 2000,
  batch: 12,
  optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
  learningRate: 1e-3,
  warmupSteps: 100,
  decay: 'cosine',
  floor: 1e-4,
  weightDecay: 0.1,
  clip: 1,
}

/** The same with three times the learning rate, which so small a model bears: ends at 1.795. */
export const shakespeareRecipe: TrainingRecipe = { ...nanoGptRecipe, learningRate: 3e-3 }
