import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSameBits } from '../../test/runBoth.ts'
import { createEngine, type Engine } from '../createEngine.ts'
import { RandomStream } from '../random/RandomStream.ts'
import { cachedDecoder } from './cachedDecoder.ts'
import { drawParameters } from './initialModelParameters.ts'
import type { LanguageConfig } from './LanguageConfig.ts'
import { logitsProgram } from './languagePrograms.ts'
import type { SequenceConfig } from './ModelConfig.ts'
import { type ModelWeights, writeWeights } from './ModelWeights.ts'
import { modelOf } from './modelOf.ts'
import { outputProgram } from './outputProgram.ts'
import { sequenceModelOf } from './sequenceModelOf.ts'

const engine = await createEngine()
const shape = { vocabulary: 13, context: 21, width: 12, layers: 2, heads: 3 }
const lora = { rank: 2, alpha: 4, matrices: ['query', 'value', 'down'] as const }
const configs: Record<string, SequenceConfig | LanguageConfig> = {
  llama: { kind: 'llama', ...shape, hidden: 17 },
  'llama with a tied head and adapters': { kind: 'llama', ...shape, hidden: 17, tie: true, lora },
  gpt: { kind: 'gpt', ...shape, bias: true },
  characters: { ...shape, hidden: 10, vocabulary: 'abcdefghijklm' },
}

/** Weights that are all spread out: no part of the model is silent. */
function weightsOf(config: SequenceConfig | LanguageConfig): ModelWeights {
  const { parameters, frozen } = sequenceModelOf(config)
  const spread = (layout: typeof parameters): Float32Array =>
    drawParameters(
      layout.map((item) => ({ ...item, start: 0.3 })),
      Uint8Array.of(layout.length),
    )
  return frozen.length > 0
    ? { parameters: spread(parameters), frozen: spread(frozen) }
    : { parameters: spread(parameters) }
}

const random = new RandomStream(Uint8Array.of(4), 97, 0)
const text = (b: number): number[] => Array.from({ length: shape.context }, (_, t) => random.below(100 * b + t, 13))

/** The logits after every position, by one full pass. */
async function fullPass(config: SequenceConfig | LanguageConfig, weights: ModelWeights, tokens: number[]) {
  const isOld = !('kind' in config)
  const execution = await engine.prepare(isOld ? logitsProgram(config) : outputProgram(modelOf(config), 1))
  if (isOld) execution.write('parameters', weights.parameters)
  else writeWeights(execution, modelOf(config), weights)
  execution.write(isOld ? 'tokens' : 'inputs', Int32Array.from(tokens))
  execution.run()
  const logits = execution.read(isOld ? 'logits' : 'outputs')
  return (position: number): Float32Array => logits.subarray(13 * position, 13 * (position + 1))
}

for (const [name, config] of Object.entries(configs)) {
  test(`${name}: cached logits have the bits of the full pass at every position, in a batch of uneven sequences [E-37]`, async () => {
    const weights = weightsOf(config)
    const texts = [text(0), text(1), text(2)]
    const starts = [1, 9, 17]
    const truth = await Promise.all(texts.map((tokens) => fullPass(config, weights, tokens)))
    const decoder = cachedDecoder(engine, sequenceModelOf(config), weights, 3, shape.context)
    let logits = await decoder.read(texts.map((tokens, b) => tokens.slice(0, starts[b])))
    for (let step = 0; step < 4; step++) {
      truth.forEach((at, b) => {
        assertSameBits(logits.subarray(13 * b, 13 * (b + 1)), at(starts[b]! - 1 + step), `sequence ${b}, step ${step}`)
      })
      logits = await decoder.append(texts.map((tokens, b) => tokens[starts[b]! + step]!))
    }
    const alone = cachedDecoder(engine, sequenceModelOf(config), weights, 1, shape.context)
    logits = await alone.read([texts[0]!.slice(0, 1)])
    for (let t = 1; t < shape.context; t++) {
      logits = await alone.append([texts[0]![t]!])
      assertSameBits(logits, truth[0]!(t), `position ${t}`)
    }
  })
}

test('the bits do not depend on how many places the cache has [E-37]', async () => {
  const config: SequenceConfig = { kind: 'llama', ...shape, context: 64, hidden: 17 }
  const weights = weightsOf(config)
  const runs = await Promise.all(
    [16, 30, 64].map(async (length) => {
      const decoder = cachedDecoder(engine, sequenceModelOf(config), weights, 1, length)
      await decoder.read([[1, 2, 3]])
      return decoder.append([4])
    }),
  )
  assertSameBits(runs[1]!, runs[0]!, '32 places')
  assertSameBits(runs[2]!, runs[0]!, '64 places')
})

test('reading again forgets what was read before', async () => {
  const config = configs.llama as SequenceConfig
  const weights = weightsOf(config)
  const decoder = cachedDecoder(engine, sequenceModelOf(config), weights, 1, 21)
  await decoder.read([[5, 6, 7, 8, 9]])
  await decoder.append([1])
  await decoder.read([[2, 3]])
  const again = await decoder.append([4])
  assertSameBits(again, (await fullPass(config, weights, [2, 3, 4, ...text(0)].slice(0, 21)))(2), 'after reading again')
})

test('a sequence beyond the context and weights of another size are refused', async () => {
  const config = configs.gpt as SequenceConfig
  const weights = weightsOf(config)
  const decoder = cachedDecoder(engine, sequenceModelOf(config), weights, 1, 500)
  await assert.rejects(decoder.read([new Array<number>(22).fill(0)]), { code: 'CONTEXT_FULL', message: /got 22/ })
  await decoder.read([new Array<number>(21).fill(0)])
  await assert.rejects(decoder.append([0]), { code: 'CONTEXT_FULL' })
  const few = { parameters: weights.parameters.subarray(1) }
  await assert.rejects(cachedDecoder(engine, sequenceModelOf(config), few, 1, 5).read([[0]]), { code: 'SHAPE' })
})

test('one token reads the weights and caches, not the whole window again', async () => {
  const operations: number[] = []
  const counting: Engine = {
    ...engine,
    prepare: (program) => {
      operations.push(program.operations.length)
      return engine.prepare(program)
    },
  }
  const config = configs.llama as SequenceConfig
  await cachedDecoder(counting, sequenceModelOf(config), weightsOf(config), 1, 21).read([[1]])
  // Per layer: two norms of 3, 7 products, 2 rotations, 2 cache updates, 4 for the softmax, 2 products of attention, 2
  // sums, 1 for SwiGLU; then the token, two rows of the tables, the last norm and the head.
  assert.equal(operations.at(-1), 2 * (6 + 7 + 2 + 2 + 4 + 2 + 2 + 1) + 1 + 2 + 3 + 1)
})
