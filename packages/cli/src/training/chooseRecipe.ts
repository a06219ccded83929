import type { ModelConfig, TrainingRecipe } from '@potluck/engine'
import type { DataShape } from './LoadedData.ts'

/** What a person may set; the rest follows from model and data. */
export type RecipeWishes = {
  readonly steps?: number | undefined
  readonly batch?: number | undefined
  /** Highest learning rate. */
  readonly rate?: number | undefined
  readonly optimizer?: 'adamw' | 'sgd' | 'muon' | undefined
  readonly evaluateEvery?: number | undefined
  readonly recompute: boolean
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value))

/**
 * A recipe that does well on data of this kind within about a minute on two cores: AdamW, a warmup, a cosine down to a tenth of the
 * rate, some evaluations. Deterministic in its arguments.
 */
export function chooseRecipe(config: ModelConfig, shape: DataShape, wishes: RecipeWishes): TrainingRecipe {
  const usual = usualFor(config, shape)
  const batch = wishes.batch ?? usual.batch
  const steps = wishes.steps ?? usual.steps(batch)
  const learningRate = wishes.rate ?? usual.rate * (wishes.optimizer === 'sgd' ? 20 : 1)
  const optimizer = { kind: wishes.optimizer ?? 'adamw' } as const
  return {
    steps,
    batch,
    optimizer:
      optimizer.kind === 'adamw'
        ? { kind: 'adamw', beta2: 0.99 }
        : optimizer.kind === 'sgd'
          ? { kind: 'sgd', momentum: 0.9 }
          : { kind: 'muon' },
    learningRate,
    warmupSteps: Math.min(100, Math.floor(steps / 10)),
    decay: 'cosine',
    floor: learningRate / 10,
    weightDecay: usual.weightDecay,
    clip: 1,
    checkpointing: wishes.recompute,
    evaluateEvery: wishes.evaluateEvery ?? Math.max(1, Math.ceil(steps / usual.evaluations)),
    stateEverySteps: steps,
  }
}

type Usual = {
  readonly batch: number
  readonly rate: number
  readonly weightDecay: number
  readonly evaluations: number
  steps(batch: number): number
}

/** Numbers learned where the data has classes are a teacher's logits, some ten times larger than what labels ask for. */
const isStudent = (config: ModelConfig, shape: DataShape): boolean =>
  config.kind === 'mlp' && config.regression !== undefined && shape.kind !== 'text' && shape.classes !== null

function usualFor(config: ModelConfig, shape: DataShape): Usual {
  if (shape.kind === 'text') {
    // Small texts are read often enough with fewer steps.
    return {
      batch: 12,
      rate: 1e-3,
      weightDecay: 0.1,
      evaluations: 4,
      steps: () => clamp(Math.ceil(shape.tokens / 50), 100, 1_000),
    }
  }
  if (shape.kind === 'images') {
    return {
      batch: 64,
      rate: config.kind === 'logistic' || isStudent(config, shape) ? 1e-2 : 2e-3,
      weightDecay: 0.01,
      evaluations: 8,
      steps: (batch) => clamp(Math.ceil((3 * shape.images) / batch), 200, 3_000),
    }
  }
  const isLinear = config.kind === 'logistic' || (config.kind === 'mlp' && config.hidden.length === 0)
  return {
    batch: clamp(Math.floor(shape.rows / 8), 1, 64),
    rate: isLinear ? 3e-2 : isStudent(config, shape) ? 1e-2 : 2e-3,
    weightDecay: isLinear ? 0.1 : 0.01,
    evaluations: 10,
    steps: (batch) => clamp(Math.ceil(((isLinear ? 40 : 6) * shape.rows) / batch), 500, 6_000),
  }
}
