import type { Model } from '../model/Model.ts'
import { drawBatch } from './drawBatch.ts'
import { rowDrawer } from './drawRows.ts'
import type { TrainingData } from './TrainingData.ts'

export type Batch = { readonly inputs: Float32Array | Int32Array; readonly targets: Float32Array | Int32Array }

/**
 * Gives the batch of each step (from 0), a pure function of (data, seed, step): windows of a text at drawn places
 * (E-14), rows of a table in an order drawn for each epoch (E-32).
 *
 * @param samples per step, over all its forward passes
 */
export function batchDrawer(
  model: Model,
  data: TrainingData,
  seed: Uint8Array,
  samples: number,
): (step: number) => Batch {
  if (data.kind === 'tokens') {
    const context = model.sample.kind === 'tokens' ? model.sample.context : 1
    return (step) => drawBatch(seed, step, data.tokens, samples, context)
  }
  const width = model.sample.kind === 'rows' ? model.sample.inputs : 1
  const draw = rowDrawer(seed, data.inputs.length / width, samples)
  return (step) => batchOf(model, data, draw(step), width)
}

/** The given rows of a table as a batch. */
export function batchOf(
  model: Model,
  data: TrainingData & { readonly kind: 'rows' },
  rows: ArrayLike<number>,
  width: number,
): Batch {
  const count = model.target.kind === 'classes' ? 1 : model.target.count
  const inputs = new Float32Array(rows.length * width)
  const targets = new (model.target.kind === 'classes' ? Int32Array : Float32Array)(rows.length * count)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    inputs.set(data.inputs.subarray(row * width, (row + 1) * width), i * width)
    targets.set(data.targets.subarray(row * count, (row + 1) * count), i * count)
  }
  return { inputs, targets }
}
