import { type ModelConfig, RandomStream } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { gradientMatch, totalVariation } from './gradientMatch.ts'
import { inferLabels } from './inferLabels.ts'
import { type RectifierLayer, rectifierLayers } from './rectifierLayers.ts'
import { signedAdam } from './signedAdam.ts'

/** Of `RandomStream`: where a search starts. */
const PURPOSE_STARTS = 61

export type InputSearch = {
  /** Rows whose gradients were added up. */
  readonly rows: number
  /** Their classes; left out, they are read from the gradient by `inferLabels`. */
  readonly labels?: readonly number[]
  /** Steps of each start. */
  readonly steps: number
  /** Random starts, of which the best fit is kept. */
  readonly starts: number
  /** First step size, in units of the values; a tenth of it after 3/8 of the steps, and again after 5/8 and 7/8. */
  readonly rate: number
  /** Weight of each image's total variation beside the distance of the gradients. Unused where rows are no images. */
  readonly smoothness: number
  /** Every value of an input lies from `low` to `high`. */
  readonly low: number
  readonly high: number
  readonly seed: Uint8Array
}

export type FoundInputs = {
  /** In the order of `labels`. */
  readonly rows: readonly Float32Array[]
  readonly labels: readonly number[]
  /** 1 − cos of their gradient and the one seen. */
  readonly distance: number
}

/**
 * Inputs whose summed gradient points where the one seen points, found by descent from random starts. It needs no linear first
 * layer, only the model, the sum, and how many rows are in it (L-86).
 *
 * @param parameters where the gradient was taken
 * @param gradient   of a row or a sum of rows; the update of one plain step serves too, for only its direction is used
 * @throws PotluckError BAD_ATTACK for a model that `rectifierLayers` refuses and for a search that cannot be made; SHAPE; NAN
 *
 * Cost: starts · steps · rows · two passes of the model forward and back, in f64.
 * Source: Zhu et al., arXiv:1906.08935; Geiping et al., arXiv:2003.14053 (cosine, total variation, Adam on signs).
 */
export function searchInputs(
  config: ModelConfig,
  parameters: Float32Array,
  gradient: Float32Array,
  search: InputSearch,
): FoundInputs {
  const layers = rectifierLayers(config)
  const last = layers.at(-1)!
  const size = last.bias + last.O
  if (parameters.length !== size || gradient.length !== size) {
    throw new PotluckError(
      'SHAPE',
      `expected ${size} parameters and a gradient as long, got ${parameters.length} and ${gradient.length}`,
    )
  }
  const wrong = gradient.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) {
    throw new PotluckError('NAN', `the gradient has ${gradient[wrong]} at ${wrong}: there is nothing to match`)
  }
  const { rows, steps, starts, smoothness, low, high, seed } = search
  checkSearch(search, last)
  const labels = search.labels ?? inferLabels(gradient.subarray(last.bias), rows)
  const [w, seen] = [Float64Array.from(parameters), Float64Array.from(gradient)]
  const { inputs } = layers[0]!
  /** What is made small: the distance, and the grain of images; with its slopes. */
  const judge = (guess: readonly Float64Array[]): { distance: number; total: number; slopes: Float64Array[] } => {
    const { distance, slopes } = gradientMatch(layers, w, seen, guess, labels)
    if (config.kind !== 'cnn') return { distance, total: distance, slopes }
    const grain = guess.reduce((sum, row, i) => sum + totalVariation(row, config, smoothness, slopes[i]!), 0)
    return { distance, total: distance + grain, slopes }
  }
  let best: FoundInputs = { rows: [], labels, distance: 2 }
  let least = Number.POSITIVE_INFINITY
  for (let start = 0; start < starts; start++) {
    const random = new RandomStream(seed, PURPOSE_STARTS, start)
    const guess = Array.from({ length: rows }, (_, row) =>
      Float64Array.from({ length: inputs }, (_, i) => low + (high - low) * random.uniform(row * inputs + i)),
    )
    const movers = guess.map((row) => signedAdam(row, low, high))
    for (let step = 0; step < steps; step++) {
      const { slopes } = judge(guess)
      const rate = search.rate * rateShare(step / steps)
      for (const [i, move] of movers.entries()) move(slopes[i]!, rate)
    }
    const { distance, total } = judge(guess)
    if (total < least) {
      least = total
      best = { rows: guess.map((row) => Float32Array.from(row)), labels, distance }
    }
  }
  return best
}

const rateShare = (done: number): number => (done < 3 / 8 ? 1 : done < 5 / 8 ? 0.1 : done < 7 / 8 ? 0.01 : 0.001)

function checkSearch(search: InputSearch, { O }: RectifierLayer): void {
  const { rows, labels, steps, starts, rate, smoothness, low, high } = search
  const refuse = (field: string, allowed: string, value: unknown): never => {
    throw new PotluckError('BAD_ATTACK', `${field} of a search must be ${allowed}, got ${value}`, { field })
  }
  for (const [field, value] of Object.entries({ rows, steps, starts })) {
    if (!Number.isSafeInteger(value) || value < 1) refuse(field, 'whole and at least 1', value)
  }
  if (!(rate > 0 && rate < Number.POSITIVE_INFINITY)) refuse('rate', 'above 0', rate)
  if (!(smoothness >= 0 && smoothness < Number.POSITIVE_INFINITY)) refuse('smoothness', 'at least 0', smoothness)
  if (!(low < high && high - low < Number.POSITIVE_INFINITY)) refuse('low and high', 'in order', `${low} and ${high}`)
  const areClasses = labels?.every((label) => Number.isSafeInteger(label) && label >= 0 && label < O) ?? true
  if (!areClasses || (labels && labels.length !== rows)) {
    refuse('labels', `${rows} classes from 0 to ${O - 1}`, labels?.join(', '))
  }
}
