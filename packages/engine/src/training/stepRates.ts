import type { LanguageRecipe } from './LanguageRecipe.ts'

const f = Math.fround

/**
 * The four numbers that change from step to step, in f32 (E-16): rate, rate·decay, 1/(1 − β1^t), 1/(1 − β2^t).
 *
 *   rate_t = learningRate · min(1, t / warmupSteps), t from 1;  β^t by t − 1 products from the left, each rounded
 */
export function* stepRates(recipe: LanguageRecipe): Generator<Float32Array> {
  const { learningRate, weightDecay, warmupSteps, beta1, beta2, steps } = recipe
  let [power1, power2] = [f(beta1), f(beta2)]
  for (let t = 1; t <= steps; t++) {
    const rate = t < warmupSteps ? f(f(learningRate) * f(t / warmupSteps)) : f(learningRate)
    yield Float32Array.of(rate, f(rate * f(weightDecay)), f(1 / f(1 - power1)), f(1 / f(1 - power2)))
    power1 = f(power1 * f(beta1))
    power2 = f(power2 * f(beta2))
  }
}
