import { merkleRootOfBytes, merkleRootOfNodes, treeDepth } from '@potluck/protocol'
import { trainingProgram } from '../model/languagePrograms.ts'
import { parameterCount } from '../model/parameterLayout.ts'
import type { Program } from '../program/Program.ts'
import { full, ProgramBuilder } from '../program/ProgramBuilder.ts'
import { tensorRoot } from '../program/stateRoot.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import { drawBatch } from '../training/drawBatch.ts'
import type { LanguageRecipe } from '../training/LanguageRecipe.ts'
import { stepRates } from '../training/stepRates.ts'
import { type ExactJob, exactJob, fixedInput, textDepth } from './ExactJob.ts'
import type { InputSource } from './elementRecords.ts'

/**
 * The program of a language job as a referee sees it: what `trainLocally` computes, step by step, and the claimed update.
 *
 * @param tokens    the training text as `encodeText` gives it
 * @param jobSeed   32 bytes; the seed of each task follows from them
 * @param aggregate the next state from the updates of so many shares; see `JobParts`
 * @param finish    the claimed update from base and last state; the plain difference when left out
 * @throws PotluckError NOT_REFEREED when states are too far apart for a referee; BAD_RECIPE
 *
 * Cost: one hash of the text and of one state part; some milliseconds.
 */
export function languageJobProgram(
  recipe: LanguageRecipe,
  tokens: Uint8Array,
  jobSeed: Uint8Array,
  shares: number,
  aggregate: Program,
  finish: Program = updateProgram(parameterCount(recipe.config)),
): ExactJob {
  const { config, batch: B, steps, stateEverySteps, beta1, beta2, epsilon } = recipe
  const R = B * config.context
  const program = trainingProgram(config, B, { beta1, beta2, epsilon })
  const weights = new Float32Array(R).fill(1 / R)
  const rates = [...stepRates(recipe)]
  const rateRoots = rates.map(tensorRoot)
  const dataRoot = merkleRootOfBytes(tokens)
  const drawn = (shift: number): InputSource => ({
    kind: 'tokens',
    size: R,
    context: config.context,
    length: tokens.length,
    shift,
    dataDepth: textDepth(tokens.length),
    dataRoot,
  })
  return exactJob({
    program,
    state: ['parameters', 'moment1', 'moment2'],
    inputs: {
      tokens: drawn(0),
      targets: drawn(1),
      weights: fixedInput(weights),
      rates: { kind: 'schedule', depth: treeDepth(steps), root: merkleRootOfNodes(rateRoots) },
    },
    finish,
    aggregate,
    jobSeed,
    steps,
    stateEverySteps,
    units: steps * R,
    shares,
    text: tokens,
    schedules: { rates: rateRoots },
    feed(step, seed) {
      const { inputs, targets } = drawBatch(seed, step, tokens, B, config.context)
      return { tokens: inputs, targets, weights, rates: rates[step]! }
    },
  })
}

/** update[i] = base[i] − parameters[i] for P parameters. */
export function updateProgram(P: number): Program {
  const builder = new ProgramBuilder()
  const base = builder.input('base', [P])
  const parameters = builder.input('parameters', [P])
  const s = new ScalarBuilder('update')
  const update = s.finish(s.subtract(s.input(), s.input()))
  builder.output('update', builder.map('update', update, 1, P, [full(base), full(parameters)], [P]))
  return builder.finish()
}
