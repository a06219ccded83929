import { REFERENCE_PART } from './referenceConstants.ts'

/** The weights of a round under the rule `reference` together, the reference's own included (L-14): by it, a weight is a part. */
export const weightOfAll = (weights: Float32Array): number =>
  weights.reduce((sum, weight) => sum + weight, 0) * (1 + REFERENCE_PART)
