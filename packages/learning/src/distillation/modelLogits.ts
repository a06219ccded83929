import { type Engine, type Model, outputProgram, samplesPerRun, writeWeights } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

/**
 * What a model of rows says of each row, before any softmax; dropout is off. A row's bits do not depend on the rows beside it.
 *
 * @param inputs [N, inputs]
 * @param pause awaited between runs, so that the caller can do something else
 * @returns [N, classes], or [N, count] of a model of numbers
 * @throws PotluckError BAD_DATA for a model of texts; SHAPE; NAN
 */
export async function modelLogits(
  engine: Engine,
  model: Model,
  parameters: Float32Array,
  inputs: Float32Array,
  pause?: () => Promise<void>,
): Promise<Float32Array> {
  const { sample, target } = model
  if (sample.kind !== 'rows') throw new PotluckError('BAD_DATA', `a ${model.config.kind} model takes texts, not rows`)
  const [width, outputs] = [sample.inputs, target.kind === 'classes' ? target.classes : target.count]
  const count = inputs.length / width
  if (!Number.isInteger(count)) {
    throw new PotluckError('SHAPE', `${inputs.length} numbers are not whole rows of ${width}; give whole rows`, {
      seen: inputs.length,
    })
  }
  const B = samplesPerRun(model)
  const execution = await engine.prepare(outputProgram(model, B))
  writeWeights(execution, model, { parameters })
  const logits = new Float32Array(count * outputs)
  const batch = new Float32Array(B * width)
  for (let from = 0; from < count; from += B) {
    const used = Math.min(B, count - from)
    batch.fill(0, used * width)
    batch.set(inputs.subarray(from * width, (from + used) * width))
    execution.write('inputs', batch)
    execution.run()
    logits.set(execution.read('outputs').subarray(0, used * outputs), from * outputs)
    if (pause) await pause()
  }
  return logits
}
