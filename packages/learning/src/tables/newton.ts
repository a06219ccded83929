import { PotluckError } from '@potluck/protocol'
import { logLoss, score, sigmoid } from './logistic.ts'
import { type Scaling, standardise } from './scaling.ts'
import type { TableRow } from './tableRow.ts'

/**
 * Federated Newton for L2 logistic regression.
 *
 * The objective over all n rows is `(1/n) sum of log losses + (l2/2) sum of squared weights` without the intercept. Gradient
 * and Hessian are sums over rows, so the sum over members gives the very step that pooled rows would give, up to the
 * rounding of the fixed-point ring: five to seven rounds instead of hundreds of averaged gradient steps, and no drift between
 * members (L-06).
 */

/**
 * Where training stands, as plain numbers that survive JSON: weights of the scaled inputs and, last, the intercept. `from` is
 * where the last full step began.
 */
export type NewtonState = {
  readonly weights: readonly number[]
  readonly from: readonly number[] | null
  readonly fromObjective: number
  readonly fromCount: number
  readonly converged: boolean
}

/** A step that moves no weight by more than this ends training (L-07); Newton then squares it: what is left is below 1e-11. */
const smallestStep = 1e-6

export function startNewton(inputCount: number): NewtonState {
  return {
    weights: new Array<number>(inputCount + 1).fill(0),
    from: null,
    fromObjective: 0,
    fromCount: 0,
    converged: false,
  }
}

/** The length of a Newton vector for d inputs: gradient, upper triangle of the Hessian, loss, count. */
export const newtonVectorLength = (inputCount: number): number =>
  inputCount + 1 + ((inputCount + 1) * (inputCount + 2)) / 2 + 2

/**
 * What one member adds to a Newton round: `[gradient (d+1), Hessian's upper triangle by rows, loss, count]`, sums over its rows.
 *
 * Order: rows as given, f64, each product rounded, then added (L-05). Cost: rows * d^2 / 2 multiplications.
 */
export function localNewtonVector(
  rows: readonly TableRow[],
  weights: readonly number[],
  scaling: Scaling,
): Float64Array {
  const n = weights.length
  const out = new Float64Array(newtonVectorLength(n - 1))
  const x = new Float64Array(n)
  for (const { inputs, label } of rows) {
    standardise(inputs, scaling, x)
    const z = score(x, weights)
    const p = sigmoid(z)
    const curvature = p * (1 - p)
    let at = n
    for (let i = 0; i < n; i++) {
      out[i]! += (p - label) * x[i]!
      const weighted = curvature * x[i]!
      for (let j = i; j < n; j++) out[at++]! += weighted * x[j]!
    }
    out[at]! += logLoss(z, label)
    out[at + 1]! += 1
  }
  return out
}

/**
 * The state after one round, from the sum of all members' Newton vectors at `state.weights`.
 *
 * Takes the full Newton step. When the step before made the objective worse (a table far from logistic), goes back half
 * of it instead; sums over different row counts are not compared, because a retry leaves rows out (L-08).
 *
 * @throws PotluckError BAD_NEWTON_SUM when the length or count is wrong; NOT_POSITIVE_DEFINITE when the Hessian has no factor
 */
export function applyNewton(sum: Float64Array, state: NewtonState, l2: number): NewtonState {
  const { weights } = state
  const n = weights.length
  const count = sum[sum.length - 1] ?? 0
  if (sum.length !== newtonVectorLength(n - 1) || !(count > 0)) {
    throw new PotluckError(
      'BAD_NEWTON_SUM',
      `expected ${newtonVectorLength(n - 1)} numbers ending in a positive count, got ${sum.length} ending in ${count}: sum the members' vectors of this round`,
      { length: sum.length, count },
    )
  }
  let objective = sum[sum.length - 2]! / count
  for (let j = 0; j < n - 1; j++) objective += (l2 / 2) * weights[j]! * weights[j]!

  const isWorse = state.from !== null && count === state.fromCount && objective > state.fromObjective + 1e-9
  if (isWorse && state.from !== null) {
    const { from } = state
    return { ...state, weights: weights.map((w, j) => (w + from[j]!) / 2) }
  }

  const gradient = new Float64Array(n)
  const hessian = new Float64Array(n * n)
  let at = n
  for (let i = 0; i < n; i++) {
    const penalty = i < n - 1 ? l2 : 0
    gradient[i] = sum[i]! / count + penalty * weights[i]!
    for (let j = i; j < n; j++) {
      const entry = sum[at++]! / count + (i === j ? penalty : 0)
      hessian[i * n + j] = entry
      hessian[j * n + i] = entry
    }
  }
  const step = solvePositiveDefinite(hessian, gradient)
  const largest = step.reduce((top, s) => (Math.abs(s) > top ? Math.abs(s) : top), 0)
  return {
    weights: weights.map((w, j) => w - step[j]!),
    from: weights,
    fromObjective: objective,
    fromCount: count,
    converged: largest < smallestStep,
  }
}

/** Solves `A x = b` for a symmetric positive definite A ([n, n], overwritten) by Cholesky, sums left to right in f64. */
export function solvePositiveDefinite(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let value = a[i * n + j]!
      for (let k = 0; k < j; k++) value -= a[i * n + k]! * a[j * n + k]!
      if (i > j) {
        a[i * n + j] = value / a[j * n + j]!
      } else if (value > 1e-12) {
        a[j * n + j] = Math.sqrt(value)
      } else {
        throw new PotluckError(
          'NOT_POSITIVE_DEFINITE',
          `the Hessian has pivot ${value} at input ${j}: two inputs carry the same information, or all rows have one label. Raise l2 or remove the input.`,
          { input: j, pivot: value },
        )
      }
    }
  }
  const x = Float64Array.from(b)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= a[i * n + k]! * x[k]!
    x[i]! /= a[i * n + i]!
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= a[k * n + i]! * x[k]!
    x[i]! /= a[i * n + i]!
  }
  return x
}
