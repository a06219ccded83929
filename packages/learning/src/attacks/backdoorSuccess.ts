import { type Engine, evaluateModel, type Model, type ModelWeights, type TrainingData } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import type { Trigger } from './Attack.ts'
import { applyTrigger } from './applyTrigger.ts'

/**
 * Share of rows that a model calls `target` once they carry the trigger, of those that are of another class (L-39). A model without a
 * backdoor has some too, which is why its own figure belongs beside it.
 *
 * @throws PotluckError BAD_ATTACK for data without classes, a trigger outside the row, or no row of another class
 */
export async function backdoorSuccess(
  engine: Engine,
  model: Model,
  weights: ModelWeights,
  data: TrainingData,
  { target, trigger }: { readonly target: number; readonly trigger: Trigger },
): Promise<number> {
  if (data.kind !== 'rows' || !(data.targets instanceof Int32Array)) {
    throw new PotluckError('BAD_ATTACK', 'the success of a backdoor is measured on rows with classes')
  }
  const rows = data.targets.length
  const width = data.inputs.length / rows
  const others = Array.from(data.targets.keys()).filter((row) => data.targets[row] !== target)
  if (others.length === 0) {
    throw new PotluckError('BAD_ATTACK', `every row is of class ${target}, so nothing shows whether a backdoor works`)
  }
  const triggered = applyTrigger(data, rows, trigger)
  const inputs = new Float32Array(others.length * width)
  others.forEach((row, i) => {
    inputs.set(triggered.subarray(row * width, (row + 1) * width), i * width)
  })
  const targets = new Int32Array(others.length).fill(target)
  const { accuracy } = await evaluateModel(engine, model, weights, { kind: 'rows', inputs, targets })
  return accuracy ?? 0
}
