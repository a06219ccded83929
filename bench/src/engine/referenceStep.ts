/**
 * The step that everybody is measured on: a llama-style model of 3.7 million parameters, AdamW, text of bytes. Everyone gets the same weights, the same
 * batches and the same rates.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  drawBatch,
  type Engine,
  initialModelParameters,
  type Model,
  modelOf,
  referenceModel,
  referenceRecipe,
  stepNumbers,
  type TrainingRecipe,
  train,
} from '@potluck/engine'

/** Multiplications and additions of the products of one step, forward and backward. */
export const REFERENCE_GFLOP = 23.35

const seed = new Uint8Array(32).fill(7)

/** The text of `data/tinyshakespeare`. */
export const shakespeare = (): Uint8Array =>
  gunzipSync(readFileSync(join(import.meta.dirname, '..', '..', '..', 'data', 'tinyshakespeare', 'input.txt.gz')))

export type ReferenceStep = {
  readonly model: Model
  readonly recipe: TrainingRecipe
  readonly parameters: Float32Array
  readonly seed: Uint8Array
  readonly tokens: Uint8Array
  /** The batch of a step, from 0. */
  batch(step: number): { readonly inputs: Int32Array; readonly targets: Int32Array }
  /** Rate, rate·decay and the two corrections of every step (E-16). */
  readonly rates: readonly Float32Array[]
}

export function referenceStep(steps: number): ReferenceStep {
  const model = modelOf(referenceModel)
  const recipe = { ...referenceRecipe, steps }
  const tokens = shakespeare()
  return {
    model,
    recipe,
    parameters: initialModelParameters(model, seed),
    seed,
    tokens,
    batch: (step) => drawBatch(seed, step, tokens, recipe.batch, referenceModel.context),
    rates: [...stepNumbers(recipe)],
  }
}

/** The losses of our own training on the same data; the curve that rivals are compared with. */
export async function ownLosses(engine: Engine, steps: number): Promise<number[]> {
  const { recipe, parameters, tokens } = referenceStep(steps)
  const losses: number[] = []
  const data = { kind: 'tokens', tokens } as const
  for await (const { loss } of train(engine, { config: referenceModel, recipe, data, seed, parameters }))
    losses.push(loss)
  return losses
}
