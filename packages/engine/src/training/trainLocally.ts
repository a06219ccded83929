import { type Hex, PotluckError } from '@potluck/protocol'
import type { Engine } from '../createEngine.ts'
import { trainingProgram } from '../model/languagePrograms.ts'
import { parameterCount } from '../model/parameterLayout.ts'
import { checkTokens } from '../model/text.ts'
import { drawBatch } from './drawBatch.ts'
import { checkRecipe, type LanguageRecipe } from './LanguageRecipe.ts'
import { stepRates } from './stepRates.ts'

export type LocalTraining = {
  readonly recipe: LanguageRecipe
  /** The model the round starts from, laid out as `parameterLayout` says; read only. */
  readonly base: Float32Array
  /** The training text as `encodeText` gives it; longer than the context. */
  readonly tokens: Uint8Array
  /** Decides the batches: of the job, round, share and worker, so that a copied update is a wrong one. */
  readonly seed: Uint8Array
  /** Called after each step; `step` from 1. */
  readonly onStep?: (step: number, loss: number) => void
  readonly signal?: AbortSignal
  /** Awaited between steps, so that the caller can do something else. */
  readonly pause?: () => Promise<void>
}

export type LocalResult = {
  readonly parameters: Float32Array
  /** Mean loss of each step's batch, before the step's update. */
  readonly losses: Float32Array
  /** State root (D-02) after every `stateEverySteps` steps and after the last. */
  readonly stateRoots: readonly Hex[]
}

/**
 * Trains a model for one round: a pure function of (recipe, base, tokens, seed), the same bits on every machine.
 * The optimiser starts afresh, so that an auditor needs nothing but the base.
 *
 * @throws PotluckError BAD_RECIPE, BAD_CONFIG, BAD_TOKEN, SHORT_TEXT, SHAPE, NAN; the signal's reason when aborted
 */
export async function trainLocally(engine: Engine, training: LocalTraining): Promise<LocalResult> {
  const { recipe, base, tokens, seed, onStep, signal, pause } = training
  const { config, batch: B, steps, beta1, beta2, epsilon, stateEverySteps } = recipe
  checkRecipe(recipe)
  checkTokens(config, tokens)
  if (tokens.length <= config.context) {
    throw new PotluckError(
      'SHORT_TEXT',
      `need more than ${config.context} characters to train on, got ${tokens.length}`,
    )
  }
  const P = parameterCount(config)
  const R = B * config.context
  const execution = await engine.prepare(trainingProgram(config, B, { beta1, beta2, epsilon }))
  execution.write('parameters', base)
  execution.write('moment1', new Float32Array(P))
  execution.write('moment2', new Float32Array(P))
  execution.write('weights', new Float32Array(R).fill(1 / R))
  const losses = new Float32Array(steps)
  const stateRoots: Hex[] = []
  let step = 0
  for (const rates of stepRates(recipe)) {
    signal?.throwIfAborted()
    const { inputs, targets } = drawBatch(seed, step, tokens, B, config.context)
    execution.write('tokens', inputs)
    execution.write('targets', targets)
    execution.write('rates', rates)
    execution.run()
    losses[step] = execution.read('loss')[0]!
    step++
    if (step % stateEverySteps === 0 || step === steps) {
      stateRoots.push(execution.stateRoot(['parameters', 'moment1', 'moment2']))
    }
    onStep?.(step, losses[step - 1]!)
    if (pause && step < steps) await pause()
  }
  return { parameters: execution.read('parameters'), losses, stateRoots }
}
