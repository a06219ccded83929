import type { Engine, ModelConfig } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { drawBelow } from '../secureSum/wordStream.ts'
import { addGaussian } from './addGaussian.ts'
import { clipToNorm } from './clipToNorm.ts'
import { gaussianStream } from './gaussianStream.ts'
import { checkPrivacySteps, type PrivacyStep } from './PrivacyStep.ts'
import { countRows, type RowGradients, type Rows, rowGradients } from './rowGradients.ts'

export type NoisyRecipe = {
  readonly steps: number
  /** Rows expected in a batch; each row joins by a coin of its own, so a batch may be larger, smaller or empty. */
  readonly batch: number
  readonly learningRate: number
  /** Largest norm of one row's gradient; larger ones are scaled down to it. */
  readonly clip: number
  /** Noise multiplier: deviation of the noise in the summed gradient over `clip`. */
  readonly noise: number
  /** Share of the last direction that stays. Default 0. */
  readonly momentum?: number
}

export type NoisyTraining = {
  readonly config: ModelConfig
  readonly recipe: NoisyRecipe
  readonly data: Rows
  /** The start; read only. */
  readonly parameters: Float32Array
  /** Secret random words: coins and noise (`wordStream` of a key for this training alone). */
  readonly words: () => bigint
  /** Of this very config, where several trainings follow each other: saves compiling. */
  readonly gradients?: RowGradients
  /** Called after each step, from 1. What it is given is private no more than the steps so far are. */
  readonly onStep?: (step: number, parameters: Float32Array) => void
}

/**
 * DP-SGD: each step takes each row with probability batch / rows, clips each row's gradient, adds them up in f64, adds normal noise, and
 * moves by the sum over the expected batch (L-56). What it costs is `spent`, for the accountants and the ledger.
 *
 * The losses of a private training are private too: none is given out.
 *
 * @throws PotluckError BAD_CONFIG, BAD_DATA, BAD_LABEL, EMPTY_DATA, SHAPE, BAD_PRIVACY, NAN
 *
 * Cost: one run of the engine's step for each row taken. Source: Abadi et al., arXiv:1607.00133.
 */
export async function trainWithNoise(
  engine: Engine,
  { config, recipe, data, parameters, words, gradients: prepared, onStep }: NoisyTraining,
): Promise<{ readonly parameters: Float32Array; readonly spent: PrivacyStep }> {
  const rows = countRows(config, data)
  const { steps, batch, learningRate, clip, noise, momentum = 0 } = recipe
  if (!(batch > 0 && batch <= rows)) {
    throw new PotluckError('BAD_PRIVACY', `the batch must be above 0 and at most the ${rows} rows, got ${batch}`, {
      batch,
    })
  }
  const spent: PrivacyStep = { noise, rate: batch / rows, steps }
  checkPrivacySteps([spent])
  if (!(clip > 0 && clip < 1e30)) {
    throw new PotluckError('BAD_PRIVACY', `the clip must be above 0, got ${clip}`, { clip })
  }
  const gradients = prepared ?? (await rowGradients(engine, config))
  if (parameters.length !== gradients.size) {
    throw new PotluckError('SHAPE', `the model has ${gradients.size} parameters, got ${parameters.length}`)
  }
  const normal = gaussianStream(words)
  let now = Float32Array.from(parameters)
  const direction = new Float64Array(gradients.size)
  for (let step = 1; step <= steps; step++) {
    gradients.at(now)
    const sum = new Float64Array(gradients.size)
    for (const row of drawRowsByCoin(rows, batch, words)) {
      const clipped = clipToNorm(gradients.of(data, row).gradient, clip)
      for (let i = 0; i < sum.length; i++) sum[i]! += clipped[i]!
    }
    addGaussian(sum, clip * noise, normal)
    for (let i = 0; i < sum.length; i++) direction[i] = momentum * direction[i]! + sum[i]! / batch
    now = now.map((value, i) => value - learningRate * direction[i]!)
    onStep?.(step, now)
  }
  return { parameters: now, spent }
}

/** 2^53. */
const COINS = 9_007_199_254_740_992

/** Which rows take part in a step: each with probability wanted / rows, on its own. */
export function drawRowsByCoin(rows: number, wanted: number, words: () => bigint): number[] {
  const below = (wanted / rows) * COINS
  const taken: number[] = []
  for (let row = 0; row < rows; row++) if (drawBelow(words, COINS) < below) taken.push(row)
  return taken
}
