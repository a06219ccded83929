import type { Engine } from '../createEngine.ts'
import { modelOf } from '../model/modelOf.ts'
import { programRoot } from '../program/programRoot.ts'
import { generateCached } from '../training/generateCached.ts'
import { stepProgram } from '../training/stepProgram.ts'
import { trainToEnd } from '../training/train.ts'
import { type ModelSample, modelSamples, sampleSeed } from './modelSamples.ts'

/** Something of a model that every engine must compute to the same bits: five training steps, a generated text. */
export type ModelCase = {
  /** Key in `spec/vectors/engine.json`; unique. */
  readonly name: string
  /** What is written there: JSON of hashes and numbers. */
  run(engine: Engine): Promise<unknown>
}

/** Five training steps of each kind of model; of a sequence model also what it writes afterwards. */
export const modelCases: readonly ModelCase[] = Object.entries(modelSamples).map(([name, sample]) => ({
  name,
  run: (engine) => runSample(engine, sample),
}))

async function runSample(engine: Engine, { config, recipe, data }: ModelSample): Promise<unknown> {
  const training = { config, recipe: { ...recipe, stateEverySteps: 1 }, data, validation: data, seed: sampleSeed }
  const { losses, stateRoots, evaluation, parameters } = await trainToEnd(engine, training)
  const program = programRoot(stepProgram(modelOf(config), recipe))
  const result = { program, losses: [...losses], stateRoots, evaluation }
  if (config.kind !== 'llama' && config.kind !== 'gpt') return result
  const written: (readonly (number | null)[])[] = []
  const request = {
    config,
    parameters,
    prompts: [[1, 4, 7], [5]],
    maxTokens: 9,
    sampling: { temperature: 0.8, topK: 5, topP: 0.9 },
    seed: sampleSeed,
  }
  for await (const { tokens } of generateCached(engine, request)) written.push(tokens)
  return { ...result, generated: written }
}
