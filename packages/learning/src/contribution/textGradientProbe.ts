import { type Engine, type LanguageConfig, parameterCount, trainingProgram } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import type { LossAndGradient } from './gradientProbe.ts'

/** Windows of a text, one after the other, as `drawBatch` gives them: i32 [windows · T] each. */
export type TextWindows = { readonly inputs: Int32Array; readonly targets: Int32Array }

/** Loss and its gradient over all windows, at some parameters. */
export type TextGradientProbe = (parameters: Float32Array) => Promise<LossAndGradient>

/** Windows of one pass. The passes are added in f64, so another number would give other bits. */
const TOGETHER = 16
/** Without memory the first moment after a step is the gradient, to the bit, and at rate 0 the parameters stay as they are. */
const OPTIMIZER = { beta1: 0, beta2: 0, epsilon: 1 } as const

/**
 * Prepares a probe for the model of a language job: mean cross entropy in nats over the characters of the windows, and its gradient.
 *
 * @param pause awaited after each pass
 * @throws PotluckError SHAPE when there is no whole window; from the probe NAN when the model gives a number that is none
 *
 * Order: within a pass as a training step, over passes f64 sums in the order of the windows. Cost: a forward and a backward pass.
 */
export async function textGradientProbe(
  engine: Engine,
  config: LanguageConfig,
  { inputs, targets }: TextWindows,
  pause: () => Promise<void> = () => Promise.resolve(),
): Promise<TextGradientProbe> {
  const T = config.context
  const count = inputs.length
  if (count === 0 || count % T !== 0 || targets.length !== count) {
    const seen = `${count} characters and ${targets.length} targets`
    throw new PotluckError('SHAPE', `expected whole windows of ${T} characters with a target each, got ${seen}`)
  }
  const P = parameterCount(config)
  const size = TOGETHER * T
  const execution = await engine.prepare(trainingProgram(config, TOGETHER, OPTIMIZER))
  execution.write('rates', Float32Array.of(0, 0, 1, 1))
  return async (parameters) => {
    const gradient = new Float64Array(P)
    let loss = 0
    execution.write('parameters', parameters)
    execution.write('moment1', new Float32Array(P))
    execution.write('moment2', new Float32Array(P))
    for (let from = 0; from < count; from += size) {
      const to = Math.min(from + size, count)
      execution.write('tokens', filled(inputs.subarray(from, to), size))
      execution.write('targets', filled(targets.subarray(from, to), size))
      // What fills up the last pass has no share in the loss.
      execution.write('weights', new Float32Array(size).fill(1 / count, 0, to - from))
      execution.run()
      loss += execution.read('loss')[0]!
      const part = execution.read('moment1')
      for (let j = 0; j < P; j++) gradient[j]! += part[j]!
      await pause()
    }
    return { loss, gradient }
  }
}

function filled(tokens: Int32Array, size: number): Int32Array {
  const all = new Int32Array(size)
  all.set(tokens)
  return all
}
