import { exactExp64, exactLog64 } from '@potluck/engine'

/** `1 / (1 + e^-z)`, from 0 to 1, without overflow for any finite z. */
export function sigmoid(z: number): number {
  const e = exactExp64(z < 0 ? z : -z)
  return z < 0 ? e / (1 + e) : 1 / (1 + e)
}

/** The log loss of a row with score `z`: `log(1 + e^-z)` for label 1, `log(1 + e^z)` for label 0. */
export function logLoss(z: number, label: 0 | 1): number {
  const s = label === 1 ? -z : z
  // max(s, 0) + log(1 + e^-|s|): the exponential never exceeds 1.
  return (s > 0 ? s : 0) + exactLog64(1 + exactExp64(s < 0 ? s : -s))
}

/** Inputs and intercept (d + 1 numbers) times weights, summed left to right. */
export function score(x: Float64Array, weights: readonly number[]): number {
  let z = 0
  for (let j = 0; j < weights.length; j++) z += x[j]! * weights[j]!
  return z
}
