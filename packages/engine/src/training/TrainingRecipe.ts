import { PotluckError } from '@potluck/protocol'

/** AdamW on everything (E-16). */
export type AdamWRecipe = {
  readonly kind: 'adamw'
  /** Defaults 0.9, 0.95, 1e-8. */
  readonly beta1?: number
  readonly beta2?: number
  readonly epsilon?: number
}

/** Stochastic gradient descent. Momentum defaults to 0. */
export type SgdRecipe = { readonly kind: 'sgd'; readonly momentum?: number; readonly nesterov?: boolean }

/** Muon on the matrices of the layers, AdamW on the rest (tables, gains, biases, the head). */
export type MuonRecipe = {
  readonly kind: 'muon'
  /** Default 0.95. */
  readonly momentum?: number
  /** Rate of the matrices over the rate of the rest. Default 20. */
  readonly matrixRate?: number
  readonly beta1?: number
  readonly beta2?: number
  readonly epsilon?: number
}

export type OptimizerRecipe = AdamWRecipe | SgdRecipe | MuonRecipe

/** How a model is trained. Together with config, data and seed it decides every bit of the result. */
export type TrainingRecipe = {
  readonly steps: number
  /** Samples of one forward pass: windows, rows or images (B). */
  readonly batch: number
  /** Forward passes whose gradients are added up in one step. Default 1. */
  readonly accumulate?: number
  readonly optimizer: OptimizerRecipe
  /** The highest rate. */
  readonly learningRate: number
  /** The rate rises linearly over these steps. Default 0. */
  readonly warmupSteps?: number
  /** What the rate does after the warmup, down to `floor` at the last step. Default constant. */
  readonly decay?: 'constant' | 'linear' | 'cosine'
  /** Lowest rate of a decay. Default 0. */
  readonly floor?: number
  /** Per step, times the rate; on matrices only. Default 0. */
  readonly weightDecay?: number
  /** Largest norm of all gradients together; larger ones are scaled down to it. Default none. */
  readonly clip?: number
  /** Compute each layer again in the backward pass instead of keeping it: less memory, more time, the same bits. */
  readonly checkpointing?: boolean
  /** Evaluate on the validation data after every so many steps and after the last. Default: after the last only. */
  readonly evaluateEvery?: number
  /** Take a state root after every so many steps and after the last. Default: after the last only. */
  readonly stateEverySteps?: number
}

const below1 = 'at least 0 and below 1'

/** Throws BAD_RECIPE with the field, what it must be and the value seen. */
export function checkTrainingRecipe(recipe: TrainingRecipe): void {
  const refuse = (field: string, allowed: string, value: unknown): never => {
    throw new PotluckError('BAD_RECIPE', `${field} must be ${allowed}, got ${value}`, { field })
  }
  const { steps, batch, accumulate = 1, evaluateEvery = 1, stateEverySteps = 1, warmupSteps = 0 } = recipe
  for (const [field, value] of Object.entries({ steps, batch, accumulate, evaluateEvery, stateEverySteps })) {
    if (!Number.isSafeInteger(value) || value < 1) refuse(field, 'whole and at least 1', value)
  }
  if (!Number.isSafeInteger(warmupSteps) || warmupSteps < 0)
    refuse('warmupSteps', 'whole and not negative', warmupSteps)
  const { learningRate, clip = 1, floor = 0, weightDecay = 0, decay = 'constant', optimizer } = recipe
  for (const [field, value] of Object.entries({ learningRate, clip })) {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) refuse(field, 'above 0', value)
  }
  if (!(floor >= 0 && floor <= learningRate)) refuse('floor', 'from 0 to the learning rate', floor)
  if (!(weightDecay >= 0 && weightDecay < 1)) refuse('weightDecay', below1, weightDecay)
  if (!['constant', 'linear', 'cosine'].includes(decay)) refuse('decay', 'constant, linear or cosine', decay)
  const { kind, ...numbers } = optimizer
  if (!['adamw', 'sgd', 'muon'].includes(kind)) refuse('optimizer.kind', 'adamw, sgd or muon', kind)
  for (const [field, value] of Object.entries(numbers)) {
    const at = `optimizer.${field}`
    if (field === 'nesterov') {
      if (typeof value !== 'boolean') refuse(at, 'true or false', value)
    } else if (field === 'epsilon' || field === 'matrixRate') {
      if (!(typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY)) refuse(at, 'above 0', value)
    } else if (!(typeof value === 'number' && value >= 0 && value < 1)) refuse(at, below1, value)
  }
  if (kind === 'sgd' && optimizer.nesterov && !optimizer.momentum) {
    refuse('optimizer.momentum', 'above 0 with nesterov', optimizer.momentum)
  }
}
