import { PotluckError } from '@potluck/protocol'
import { checkConfig, type LanguageConfig } from '../model/LanguageConfig.ts'

/** How one worker trains for one round. Every field is part of the job. */
export type LanguageRecipe = {
  readonly config: LanguageConfig
  /** Windows per step (B). */
  readonly batch: number
  /** Steps per call. */
  readonly steps: number
  readonly learningRate: number
  /** Per step, times the learning rate; on matrices only. */
  readonly weightDecay: number
  /** The rate rises linearly over these steps, then stays. 0 = none. */
  readonly warmupSteps: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** A state root is taken after every so many steps and after the last. */
  readonly stateEverySteps: number
}

/** Throws BAD_RECIPE with the field, the value seen and what is allowed. */
export function checkRecipe(recipe: LanguageRecipe): void {
  checkConfig(recipe.config)
  const refuse = (field: string, value: number, allowed: string): never => {
    throw new PotluckError('BAD_RECIPE', `${field} must be ${allowed}, got ${value}`, { field, value })
  }
  const { batch, steps, stateEverySteps, warmupSteps, learningRate, weightDecay, beta1, beta2, epsilon } = recipe
  for (const [field, value] of Object.entries({ batch, steps, stateEverySteps })) {
    if (!Number.isSafeInteger(value) || value < 1) refuse(field, value, 'whole and at least 1')
  }
  if (!Number.isSafeInteger(warmupSteps) || warmupSteps < 0)
    refuse('warmupSteps', warmupSteps, 'whole and not negative')
  for (const [field, value] of Object.entries({ learningRate, epsilon })) {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) refuse(field, value, 'above 0')
  }
  for (const [field, value] of Object.entries({ weightDecay, beta1, beta2 })) {
    if (!(value >= 0 && value < 1)) refuse(field, value, 'at least 0 and below 1')
  }
}
