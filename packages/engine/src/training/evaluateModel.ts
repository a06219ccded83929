import type { Engine } from '../createEngine.ts'
import { lossOf, rankOf } from '../model/lossOf.ts'
import type { Model } from '../model/Model.ts'
import { type ModelWeights, writeWeights } from '../model/ModelWeights.ts'
import { modelInputs, plainScope, rowsOf, sampleInput } from '../model/modelScope.ts'
import { Tape } from '../operators/Tape.ts'
import type { Execution } from '../program/Execution.ts'
import type { Program } from '../program/Program.ts'
import { ProgramBuilder } from '../program/ProgramBuilder.ts'
import { type Batch, batchOf } from './batchDrawer.ts'
import { checkTrainingData, type TrainingData } from './TrainingData.ts'

export type Evaluation = {
  /** Mean cross entropy in nats, or mean squared error. */
  readonly loss: number
  /** Share of rows (of tokens, for a text) whose right class is likeliest; null for predicted numbers. */
  readonly accuracy: number | null
  /** Rows or tokens evaluated. */
  readonly n: number
}

export type EvaluateOptions = {
  /** Samples per run. Changes no bit. Default 16 windows of a text, or up to 64 rows. */
  readonly batch?: number
  readonly signal?: AbortSignal | undefined
  readonly pause?: (() => Promise<void>) | undefined
}

/** An evaluation that can be repeated with new parameters without compiling again. */
export type Evaluator = (parameters: Float32Array) => Promise<Evaluation>

/** Samples of one run, unless said otherwise: enough to keep the kernels busy. */
export const samplesPerRun = (model: Model): number => (model.sample.kind === 'tokens' ? 16 : 64)

/** Loss and rank of each row. Inputs: as `modelInputs`, `inputs`, `targets`. Outputs: `losses` and, of classes, `ranks`. */
export function evaluationProgram(model: Model, B: number): Program {
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const weights = modelInputs(builder, model)
  const inputs = sampleInput(builder, model, 'inputs', B)
  const rows = rowsOf(model, B)
  const targets =
    model.target.kind === 'classes'
      ? builder.input('targets', [rows], 'i32')
      : builder.input('targets', [rows, model.target.count])
  const outputs = model.forward(plainScope(tape, weights, B), inputs)
  builder.output('losses', lossOf(tape, model, outputs, targets))
  if (model.target.kind === 'classes') builder.output('ranks', rankOf(tape, outputs, targets))
  return builder.finish()
}

/**
 * Loss and accuracy on data, every token but the first of a text or every row counted once (E-18): windows follow each
 * other without overlap, the last run is filled up with zeros that are not counted, the f32 losses are added in f64
 * from left to right and divided by their number.
 *
 * @throws PotluckError BAD_DATA, BAD_TOKEN, BAD_LABEL, SHORT_TEXT, EMPTY_DATA, SHAPE, NAN
 */
export async function evaluateModel(
  engine: Engine,
  model: Model,
  weights: ModelWeights,
  data: TrainingData,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const evaluate = await prepareEvaluation(engine, model, data, weights.frozen, options)
  return evaluate(weights.parameters)
}

/** Checks the data and compiles once; see `evaluateModel`. */
export async function prepareEvaluation(
  engine: Engine,
  model: Model,
  data: TrainingData,
  frozen: Float32Array | undefined,
  { batch, signal, pause }: EvaluateOptions = {},
): Promise<Evaluator> {
  const count = checkTrainingData(model, data, 'evaluation data')
  const B = batch ?? Math.min(count, samplesPerRun(model))
  const execution = await engine.prepare(evaluationProgram(model, B))
  return async (parameters) => {
    writeWeights(execution, model, { parameters, frozen })
    let [loss, right, n] = [0, 0, 0]
    for (const { inputs, targets, used } of runsOf(model, data, B)) {
      signal?.throwIfAborted()
      execution.write('inputs', inputs)
      execution.write('targets', targets)
      execution.run()
      loss = execution
        .read('losses')
        .subarray(0, used)
        .reduce((sum, value) => sum + value, loss)
      right += rightOf(model, execution, used)
      n += used
      if (pause) await pause()
    }
    return { loss: loss / n, accuracy: model.target.kind === 'classes' ? right / n : null, n }
  }
}

function rightOf(model: Model, execution: Execution, used: number): number {
  if (model.target.kind !== 'classes') return 0
  return execution
    .read('ranks')
    .subarray(0, used)
    .filter((rank) => rank === 0).length
}

/** The runs over the whole data, each with how many of its rows count. */
function* runsOf(model: Model, data: TrainingData, B: number): Generator<Batch & { readonly used: number }> {
  if (data.kind === 'tokens') {
    const size = rowsOf(model, B)
    const count = data.tokens.length - 1
    for (let from = 0; from < count; from += size) {
      const used = Math.min(size, count - from)
      const [inputs, targets] = [new Int32Array(size), new Int32Array(size)]
      inputs.set(data.tokens.subarray(from, from + used))
      targets.set(data.tokens.subarray(from + 1, from + 1 + used))
      yield { inputs, targets, used }
    }
    return
  }
  const width = model.sample.kind === 'rows' ? model.sample.inputs : 1
  const count = data.inputs.length / width
  for (let from = 0; from < count; from += B) {
    const used = Math.min(B, count - from)
    const rows = Uint32Array.from({ length: B }, (_, i) => (i < used ? from + i : 0))
    yield { ...batchOf(model, data, rows, width), used }
  }
}
