import { PotluckError } from '@potluck/protocol'
import type { Engine } from '../createEngine.ts'
import type { LanguageConfig } from '../model/LanguageConfig.ts'
import { lossProgram } from '../model/languagePrograms.ts'
import { checkTokens } from '../model/text.ts'
import type { Execution } from '../program/Execution.ts'
import type { Program } from '../program/Program.ts'
import type { Evaluation } from './evaluateModel.ts'

type Options = { readonly pause?: () => Promise<void>; readonly signal?: AbortSignal }

/** Windows per run: enough to keep the kernels busy, small enough to stay in cache. Changes no bit. */
const windowsPerRun = 16

/**
 * Mean cross entropy in nats over the whole text (E-18).
 *
 * Windows follow each other without overlap: window w reads characters w·T to w·T + T − 1 and predicts each one's
 * successor, so every character but the first is predicted exactly once; the last window is filled up with token 0 and
 * the filling is not counted. The f32 losses are added in f64 from left to right and divided by their number.
 *
 * @throws PotluckError SHORT_TEXT below two characters, BAD_TOKEN, SHAPE
 */
export async function evaluateLoss(
  engine: Engine,
  config: LanguageConfig,
  parameters: Float32Array,
  tokens: Uint8Array,
  options: Options = {},
): Promise<number> {
  const program = lossProgram(config, windowsPerRun)
  return overText(engine, config, program, parameters, tokens, options, () => undefined)
}

/** As `evaluateLoss`, with the share of characters whose successor is found the likeliest. */
export async function evaluateCharacters(
  engine: Engine,
  config: LanguageConfig,
  parameters: Float32Array,
  tokens: Uint8Array,
  options: Options = {},
): Promise<Evaluation> {
  const program = lossProgram(config, windowsPerRun, true)
  let right = 0
  const loss = await overText(engine, config, program, parameters, tokens, options, (execution, used) => {
    for (const rank of execution.read('ranks').subarray(0, used)) if (rank === 0) right++
  })
  const n = tokens.length - 1
  return { loss, accuracy: right / n, n }
}

/** The mean loss of all characters but the first; `onRun` sees each run with how many of its rows count. */
async function overText(
  engine: Engine,
  config: LanguageConfig,
  program: Program,
  parameters: Float32Array,
  tokens: Uint8Array,
  { pause, signal }: Options,
  onRun: (execution: Execution, used: number) => void,
): Promise<number> {
  checkTokens(config, tokens)
  const count = tokens.length - 1
  if (count < 1) throw new PotluckError('SHORT_TEXT', `need at least two characters to evaluate, got ${tokens.length}`)
  const execution = await engine.prepare(program)
  execution.write('parameters', parameters)
  const size = windowsPerRun * config.context
  let sum = 0
  for (let from = 0; from < count; from += size) {
    signal?.throwIfAborted()
    const used = Math.min(size, count - from)
    const [inputs, targets] = [new Int32Array(size), new Int32Array(size)]
    inputs.set(tokens.subarray(from, from + used))
    targets.set(tokens.subarray(from + 1, from + 1 + used))
    execution.write('tokens', inputs)
    execution.write('targets', targets)
    execution.run()
    const losses = execution.read('losses')
    for (let i = 0; i < used; i++) sum += losses[i]!
    onRun(execution, used)
    if (pause) await pause()
  }
  return sum / count
}
