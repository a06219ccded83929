import { type Engine, evaluateModel, type Model, type ModelWeights, type TrainingData } from '@potluck/engine'
import { backdoorSuccess, type Trigger } from '@potluck/learning'

/** How a model answers rows with a backdoor's trigger. Rates from 0 to 1. */
export type BackdoorFacts = {
  /** Name or number of the class it aims at. */
  readonly target: string
  /** Share of rows of other classes that the model takes for the target once they carry the trigger. */
  readonly success: number
  /** The same rows without the trigger: what the model gets wrong that way anyhow. */
  readonly untriggered: number
  /** Rows of other classes. */
  readonly rows: number
}

/**
 * Whether a backdoor works in a trained model, on rows nobody trained on.
 *
 * @param classes names of the classes, where they have any
 * @throws PotluckError what `backdoorSuccess` throws
 */
export async function measureBackdoor(
  engine: Engine,
  model: Model,
  weights: ModelWeights,
  data: TrainingData,
  backdoor: { readonly target: number; readonly trigger: Trigger },
  classes: readonly string[] = [],
): Promise<BackdoorFacts> {
  const { target } = backdoor
  const success = await backdoorSuccess(engine, model, weights, data, backdoor)
  const plain = othersCalled(data, target)
  const { accuracy } = await evaluateModel(engine, model, weights, plain)
  return {
    target: classes[target] ?? String(target),
    success,
    untriggered: accuracy ?? 0,
    rows: plain.targets.length,
  }
}

/** Rows of other classes, each with the target as its answer: being right on them is being wrong. */
function othersCalled(data: TrainingData, target: number): { kind: 'rows'; inputs: Float32Array; targets: Int32Array } {
  if (data.kind !== 'rows') return { kind: 'rows', inputs: new Float32Array(), targets: new Int32Array() }
  const width = data.inputs.length / data.targets.length
  const rows = Array.from(data.targets.keys()).filter((row) => data.targets[row] !== target)
  const inputs = new Float32Array(rows.length * width)
  rows.forEach((row, i) => {
    inputs.set(data.inputs.subarray(row * width, (row + 1) * width), i * width)
  })
  return { kind: 'rows', inputs, targets: new Int32Array(rows.length).fill(target) }
}
