import { exactCos } from '../math/cos.ts'
import type { TrainingRecipe } from './TrainingRecipe.ts'

const f = Math.fround
const pi = f(Math.PI)

/**
 * The learning rate of step t (from 1) of S steps with w of warmup, in f32 (E-31).
 *
 *   t < w: peak·(t/w);  else with p = (t − w)/(S − w), at most 1:
 *   constant: peak;  linear: floor + (peak − floor)·(1 − p);  cosine: floor + (peak − floor)·(½·(1 + cos(π·p)))
 */
export function rateAt(recipe: TrainingRecipe, t: number): number {
  const { learningRate, warmupSteps: w = 0, steps, decay = 'constant', floor = 0 } = recipe
  const peak = f(learningRate)
  if (t < w) return f(peak * f(t / w))
  if (decay === 'constant') return peak
  const p = f(Math.min(1, (t - w) / Math.max(1, steps - w)))
  const share = decay === 'linear' ? f(1 - p) : f(0.5 * f(1 + exactCos(f(pi * p))))
  return f(f(floor) + f(f(peak - f(floor)) * share))
}

/** How many numbers `stepNumbers` gives. */
export const numbersPerStep = ({ optimizer }: TrainingRecipe): number => ({ adamw: 4, sgd: 2, muon: 6 })[optimizer.kind]

/**
 * The numbers that change from step to step, in f32, from step `from` (counted from 1) to the last: rate,
 * rate·weightDecay; for AdamW and Muon the corrections 1/(1 − β1^t) and 1/(1 − β2^t) as in E-16; for Muon the rate and
 * the decay of the matrices, rate·matrixRate and that times weightDecay.
 */
export function* stepNumbers(recipe: TrainingRecipe, from = 1): Generator<Float32Array> {
  const { optimizer, steps, weightDecay = 0 } = recipe
  const { beta1, beta2 } = betasOf(recipe)
  let [power1, power2] = [f(beta1), f(beta2)]
  for (let t = 1; t <= steps; t++) {
    const rate = rateAt(recipe, t)
    const numbers = [rate, f(rate * f(weightDecay))]
    if (optimizer.kind !== 'sgd') numbers.push(f(1 / f(1 - power1)), f(1 / f(1 - power2)))
    if (optimizer.kind === 'muon') {
      const matrixRate = f(rate * f(optimizer.matrixRate ?? 20))
      numbers.push(matrixRate, f(matrixRate * f(weightDecay)))
    }
    if (t >= from) yield Float32Array.from(numbers)
    power1 = f(power1 * f(beta1))
    power2 = f(power2 * f(beta2))
  }
}

/** The betas and epsilon of AdamW with their defaults. */
export function betasOf({ optimizer }: TrainingRecipe): { beta1: number; beta2: number; epsilon: number } {
  if (optimizer.kind === 'sgd') return { beta1: 0, beta2: 0, epsilon: 0 }
  const { beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8 } = optimizer
  return { beta1, beta2, epsilon }
}
