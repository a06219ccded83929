import { sha256, toHex } from '@potluck/protocol'
import type { Engine } from '../createEngine.ts'
import { exactCos } from '../math/cos.ts'
import { exactErf } from '../math/erf.ts'
import { exactExp } from '../math/exp.ts'
import { exactExp64 } from '../math/exp64.ts'
import { exactLog } from '../math/log.ts'
import { exactLog64 } from '../math/log64.ts'
import { exactSin } from '../math/sin.ts'
import { exactTanh } from '../math/tanh.ts'
import { initialParameters } from '../model/initialParameters.ts'
import { lossProgram, trainingProgram } from '../model/languagePrograms.ts'
import { encodeText, vocabularyOf } from '../model/text.ts'
import { littleEndianBytes } from '../program/littleEndianBytes.ts'
import { programRoot } from '../program/programRoot.ts'
import { stateRoot } from '../program/stateRoot.ts'
import { RandomStream } from '../random/RandomStream.ts'
import { drawBatch } from '../training/drawBatch.ts'
import { evaluateLoss } from '../training/evaluateLoss.ts'
import { generate } from '../training/generate.ts'
import type { LanguageRecipe } from '../training/LanguageRecipe.ts'
import { trainLocally } from '../training/trainLocally.ts'
import { modelCases } from './modelCases.ts'
import { operatorCases, writeCase } from './operatorCases.ts'
import { programCases } from './programCases.ts'

const text = 'What is shared is kept; what is kept alone is lost.\nSo bring a dish, and take a plate.\n'.repeat(3)

export const smallRecipe: LanguageRecipe = {
  config: { vocabulary: vocabularyOf(text), context: 13, width: 12, layers: 2, heads: 3, hidden: 20 },
  batch: 3,
  steps: 5,
  learningRate: 0.01,
  weightDecay: 0.1,
  warmupSteps: 2,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  stateEverySteps: 1,
}
export const smallTokens = encodeText(smallRecipe.config, text)
export const smallSeed = Uint8Array.from({ length: 32 }, (_, i) => i)

const hashOf = (...values: readonly Float32Array[]): string => toHex(sha256(littleEndianBytes(...values)))

/** What `spec/vectors/engine.json` holds: a hash of everything the rules fix, computed by one engine. */
export async function engineVectors(engine: Engine): Promise<Record<string, unknown>> {
  const { config } = smallRecipe
  const operators: Record<string, string> = {}
  const written = operatorCases.map((item) => ({ name: item.name, ...writeCase(item, true) }))
  for (const { name, program, inputs } of [...written, ...programCases(true)]) {
    const execution = await engine.prepare(program)
    for (const [input, values] of Object.entries(inputs)) execution.write(input, values)
    execution.run()
    operators[name] = hashOf(...Object.keys(program.outputs).map((output) => execution.read(output)))
  }
  const models: Record<string, unknown> = {}
  for (const { name, run } of modelCases) models[name] = await run(engine)
  const base = initialParameters(config, smallSeed)
  const trained = await trainLocally(engine, { recipe: smallRecipe, base, tokens: smallTokens, seed: smallSeed })
  const characters: string[] = []
  const request = {
    config,
    parameters: trained.parameters,
    prompt: 'What',
    maxTokens: 12,
    temperature: 0.9,
    seed: smallSeed,
  }
  for await (const character of generate(engine, request)) characters.push(character)
  return {
    functions: functionHashes(),
    random: [...wordsOf(smallSeed)],
    batch: [...drawBatch(smallSeed, 2, smallTokens, 2, config.context).inputs],
    operators,
    programs: {
      training: programRoot(trainingProgram(config, smallRecipe.batch, smallRecipe)),
      loss: programRoot(lossProgram(config, 16)),
    },
    initialParameters: stateRoot([base]),
    training: { losses: [...trained.losses], stateRoots: trained.stateRoots },
    evaluation: await evaluateLoss(engine, config, trained.parameters, smallTokens),
    generated: characters.join(''),
    models,
  }
}

function functionHashes(): Record<string, string> {
  const points = Array.from({ length: 4001 }, (_, i) => Math.fround((i - 2000) * 0.0437))
  const positive = points.map((x) => Math.abs(x) + 1e-3)
  const bytes64 = (values: number[]): Uint8Array => {
    const view = new DataView(new ArrayBuffer(8 * values.length))
    values.forEach((value, i) => {
      view.setFloat64(8 * i, value, true)
    })
    return new Uint8Array(view.buffer)
  }
  return {
    exp: hashOf(Float32Array.from(points, exactExp)),
    log: hashOf(Float32Array.from(positive, exactLog)),
    sin: hashOf(Float32Array.from(points, exactSin)),
    cos: hashOf(Float32Array.from(points, exactCos)),
    erf: hashOf(Float32Array.from(points, exactErf)),
    tanh: hashOf(Float32Array.from(points, exactTanh)),
    exp64: toHex(sha256(bytes64(points.map(exactExp64)))),
    log64: toHex(sha256(bytes64(positive.map(exactLog64)))),
  }
}

function wordsOf(seed: Uint8Array): number[] {
  const random = new RandomStream(seed, 1, 7)
  return Array.from({ length: 6 }, (_, i) => random.word(i))
}
