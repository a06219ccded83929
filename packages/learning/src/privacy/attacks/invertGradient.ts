import { exactLog64, type ModelConfig, modelOf } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

/**
 * Every guess at an input that the first linear layer's gradient holds: for z = x·W + b each unit's gradients are ∂W = x·δ and
 * ∂b = δ, so x = ∂W/∂b, exactly, for a single row. In a sum over rows it is their mean weighed by δ.
 *
 * @param gradient of one row or a sum of rows, laid out as the model's parameters; an update of one SGD step is one too, but for a factor
 * @returns one guess a unit that moved, those with the largest |∂b| first
 * @throws PotluckError BAD_ATTACK for a model whose first layer is none; SHAPE
 *
 * Source: Phong et al. 2018; Geiping et al., arXiv:2003.14053, section 3.
 */
export function invertGradient(config: ModelConfig, gradient: Float32Array): Float32Array[] {
  const { parameters } = modelOf(config)
  const [weights, bias] = parameters
  const [inputs, units] = weights?.shape ?? []
  const isLinear = config.kind === 'logistic' || config.kind === 'mlp'
  if (!isLinear || !weights || !bias || inputs === undefined || units === undefined) {
    throw new PotluckError(
      'BAD_ATTACK',
      `a ${config.kind} model does not begin with a linear layer and its bias; searchInputs may read it`,
    )
  }
  const last = parameters.at(-1)!
  if (gradient.length !== last.offset + last.size) {
    throw new PotluckError('SHAPE', `expected a gradient of ${last.offset + last.size} numbers, got ${gradient.length}`)
  }
  return Array.from({ length: units }, (_, unit) => ({ unit, delta: gradient[bias.offset + unit]! }))
    .filter(({ delta }) => delta !== 0)
    .toSorted((a, b) => Math.abs(b.delta) - Math.abs(a.delta) || a.unit - b.unit)
    .map(({ unit, delta }) =>
      Float32Array.from({ length: inputs }, (_, i) => gradient[weights.offset + i * units + unit]! / delta),
    )
}

/**
 * How near a guess comes to the truth: 10·log10(range² / mean square error), in dB; 100 at most, for guesses right to f32. Above 20
 * one recognises an image, below 10 there is little to see.
 *
 * @param range largest difference of two values of an input
 */
export function peakSignalToNoise(truth: Float32Array, guess: Float32Array, range: number): number {
  let square = 0
  for (let i = 0; i < truth.length; i++) {
    // A guess may be anything; a look at the image would clamp it.
    const off = truth[i]! - Math.min(range * 10, Math.max(-range * 10, guess[i]!))
    square += off * off
  }
  const mean = square / truth.length
  if (mean <= range * range * 1e-10) return 100
  return Math.min(100, (10 * exactLog64((range * range) / mean)) / LOG_TEN)
}

// biome-ignore lint/suspicious/noApproximativeNumericConstant: pinned here, not by the platform
const LOG_TEN = 2.302585092994046

/**
 * The best that `invertGradient` reaches: for each true row the highest PSNR over all guesses, as if the attacker knew which one to pick.
 *
 * @param rows the true inputs, one for each row in the gradient
 */
export function inversionQuality(
  config: ModelConfig,
  gradient: Float32Array,
  rows: readonly Float32Array[],
  range: number,
): number[] {
  const guesses = invertGradient(config, gradient)
  return rows.map((truth) => Math.max(0, ...guesses.map((guess) => peakSignalToNoise(truth, guess, range))))
}
