import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelSamples } from '../check/modelSamples.ts'
import { createEngine, createReferenceEngine } from '../createEngine.ts'
import { exactExp64 } from '../math/exp64.ts'
import type { GptConfig } from '../model/ModelConfig.ts'
import { type CachedGeneration, generateCached } from './generateCached.ts'
import { type Sampling, sampleToken } from './sampleToken.ts'
import { trainToEnd } from './train.ts'

const engine = await createEngine()
const { recipe, data } = modelSamples.gpt!
const config = { ...modelSamples.gpt!.config, dropout: 0 } as GptConfig
const trained = await trainToEnd(engine, {
  config,
  recipe: { ...recipe, steps: 60, learningRate: 0.02 },
  data,
  seed: new Uint8Array(32),
})
const request: CachedGeneration = {
  config,
  parameters: trained.parameters,
  prompts: [[0, 3, 6]],
  maxTokens: 6,
  sampling: { temperature: 0.9 },
  seed: Uint8Array.of(1),
}

async function written(change: Partial<CachedGeneration> = {}, by = engine): Promise<(number | null)[][]> {
  const out: (number | null)[][] = []
  for await (const { tokens } of generateCached(by, { ...request, ...change })) out.push([...tokens])
  return out[0]?.map((_, b) => out.map((tokens) => tokens[b]!)) ?? []
}

test('the same request writes the same tokens on both executors; another seed others [E-35]', async () => {
  const [tokens] = await written({ maxTokens: 40 })
  assert.equal(tokens!.length, 40)
  const [few] = await written({ maxTokens: 7 }, createReferenceEngine())
  assert.deepEqual(few, tokens!.slice(0, 7))
  assert.notDeepEqual(await written({ maxTokens: 40, seed: Uint8Array.of(2) }), [tokens])
})

test('sequences side by side write what each writes alone, when the seed takes no part [E-37]', async () => {
  const prompts = [[0, 3, 6], [1], [2, 5, 8, 0, 4, 7, 10, 2, 5, 9, 1, 4]]
  const sampling = { temperature: 0 }
  const together = await written({ prompts, sampling, maxTokens: 15 })
  for (const [b, prompt] of prompts.entries()) {
    assert.deepEqual(await written({ prompts: [prompt], sampling, maxTokens: 15 }), [together[b]])
  }
})

test('a full window goes on from its last half, as a fresh prompt would [E-38]', async () => {
  const sampling = { temperature: 0 }
  const [tokens] = await written({ sampling, maxTokens: 20 })
  const text = [0, 3, 6, ...(tokens as number[])]
  // Context 10: with 10 tokens in the window the next one is read after the last 5 of them.
  const [next] = await written({ sampling, maxTokens: 1, prompts: [text.slice(5, 11)] })
  assert.equal(next![0], text[11])
})

test('a prompt longer than the context counts by its last tokens; a stop token ends its sequence', async () => {
  const long = Array.from({ length: 30 }, (_, i) => i % 11)
  assert.deepEqual(await written({ prompts: [long] }), await written({ prompts: [long.slice(-10)] }))
  const [tokens] = await written({ prompts: [[0], [7]], maxTokens: 12 })
  const stop = tokens![3]!
  const [ended] = await written({ prompts: [[0], [7]], maxTokens: 12, stopTokens: [stop] })
  const at = tokens!.indexOf(stop)
  assert.deepEqual(ended!.slice(0, at + 1), tokens!.slice(0, at + 1))
  assert.ok(ended!.slice(at + 1).every((token) => token === null))
})

test('a token is drawn as stated: by hand for topK and topP [E-35]', () => {
  const logits = Float32Array.of(0, 2, 1, 2, -1)
  const draw = (sampling: Sampling, u: number): number => sampleToken(logits, sampling, u)
  assert.equal(draw({ temperature: 0 }, 0.99), 1, 'the first of equals')
  // Weights e^-2, 1, e^-1, 1, e^-3 in order of token: sums 0.135, 1.135, 1.503, 2.503, 2.553.
  const total = exactExp64(-2) + 1 + exactExp64(-1) + 1 + exactExp64(-3)
  assert.equal(draw({ temperature: 1 }, 0.13 / total), 0)
  assert.equal(draw({ temperature: 1 }, 0.14 / total), 1)
  assert.equal(draw({ temperature: 1 }, 1.6 / total), 3)
  assert.equal(draw({ temperature: 1 }, 0.99999999), 4)
  // topK 3 leaves tokens 1, 2, 3, of equals the lower first.
  assert.equal(draw({ temperature: 1, topK: 3 }, 0), 1)
  assert.equal(draw({ temperature: 1, topK: 1 }, 0.999), 1)
  assert.equal(draw({ temperature: 1, topK: 3 }, 0.999), 3)
  // topP: tokens 1 and 3 together reach 2/2.553 = 0.78.
  assert.equal(draw({ temperature: 1, topP: 0.7 }, 0.999), 3)
  assert.equal(draw({ temperature: 1, topP: 0.7 }, 0.45), 1)
  assert.equal(draw({ temperature: 1, topP: 0.1 }, 0.999), 1)
  assert.equal(draw({ temperature: 1, topK: 3, topP: 1 }, 1.1 / (2 + exactExp64(-1))), 2)
})

test('bad prompts and bad sampling are refused with the value seen', async () => {
  const refused: [Partial<CachedGeneration>, string, RegExp][] = [
    [{ prompts: [] }, 'EMPTY_PROMPT', /no prompt/],
    [{ prompts: [[1], []] }, 'EMPTY_PROMPT', /prompt 1/],
    [{ prompts: [[1, 11]] }, 'BAD_TOKEN', /token 11 at position 1/],
    [{ sampling: { temperature: -1 } }, 'BAD_TEMPERATURE', /got -1/],
    [{ sampling: { temperature: 1, topK: 0 } }, 'BAD_SAMPLING', /topK .* got 0/],
    [{ sampling: { temperature: 1, topP: 1.5 } }, 'BAD_SAMPLING', /topP .* got 1.5/],
  ]
  for (const [change, code, message] of refused) await assert.rejects(written(change), { code, message })
  const controller = new AbortController()
  controller.abort(new Error('caller left'))
  await assert.rejects(written({ signal: controller.signal }), /caller left/)
})
