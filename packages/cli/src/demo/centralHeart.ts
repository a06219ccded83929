import {
  applyNewton,
  heartL2,
  heartSchema,
  inputNames,
  type LogisticModel,
  localNewtonVector,
  localStatistics,
  scalingFromSum,
  startNewton,
  type TableRow,
} from '@potluck/learning'

/** The same objective solved on all training rows in one place, without masks: what the federated model is measured against. */
export function centralHeartModel(train: readonly TableRow[]): LogisticModel {
  const inputs = inputNames(heartSchema)
  const scaling = scalingFromSum(localStatistics(train))
  let state = startNewton(inputs.length)
  for (let round = 0; round < 50 && !state.converged; round++) {
    state = applyNewton(localNewtonVector(train, state.weights, scaling), state, heartL2)
  }
  return { schema: heartSchema.name, inputs, scaling, weights: state.weights }
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Right answers over all rows together. */
export function pooled(each: readonly { correct: number; rows: number }[]): number {
  const sum = (of: (one: { correct: number; rows: number }) => number): number =>
    each.reduce((all, one) => all + of(one), 0)
  return sum(({ correct }) => correct) / sum(({ rows }) => rows)
}
