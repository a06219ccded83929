import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smallRecipe, smallSeed, smallTokens } from '../check/engineVectors.ts'
import { createEngine, createReferenceEngine } from '../createEngine.ts'
import { initialParameters } from '../model/initialParameters.ts'
import { type Generation, generate } from './generate.ts'
import { trainLocally } from './trainLocally.ts'

const engine = await createEngine()
const { config } = smallRecipe
const recipe = { ...smallRecipe, steps: 60, learningRate: 0.02, stateEverySteps: 60 }
const base = initialParameters(config, smallSeed)
const { parameters } = await trainLocally(engine, { recipe, base, tokens: smallTokens, seed: smallSeed })
const request: Generation = { config, parameters, prompt: 'What is', maxTokens: 30, temperature: 0.8, seed: smallSeed }

async function textOf(generation: Generation, by = engine): Promise<string> {
  let text = ''
  for await (const character of generate(by, generation)) text += character
  return text
}

test('the same request gives the same text, on both executors; another seed another text [E-19]', async () => {
  const text = await textOf(request)
  assert.equal([...text].length, 30)
  assert.equal(await textOf({ ...request, maxTokens: 5 }, createReferenceEngine()), text.slice(0, 5))
  assert.notEqual(await textOf({ ...request, seed: new Uint8Array(32) }), text)
})

test('temperature 0 ignores the seed [E-19]', async () => {
  const greedy = { ...request, temperature: 0 }
  assert.equal(await textOf({ ...greedy, seed: new Uint8Array(1) }), await textOf(greedy))
  await assert.rejects(textOf({ ...request, temperature: -1 }), { code: 'BAD_TEMPERATURE' })
})

test('a prompt longer than the context counts by its last characters [E-19]', async () => {
  const long = 'take a plate and bring a dish. What is'
  assert.equal(await textOf({ ...request, prompt: long }), await textOf({ ...request, prompt: long.slice(-13) }))
})

test('characters outside the vocabulary are dropped, an empty prompt counts as a newline [E-19]', async () => {
  assert.equal(await textOf({ ...request, prompt: 'Wéhat☃ is' }), await textOf(request))
  assert.equal(await textOf({ ...request, prompt: '☃' }), await textOf({ ...request, prompt: '\n' }))
})

test('a stop string ends the text before it and is never given out in part [E-19]', async () => {
  const text = await textOf(request)
  const stop = text.slice(9, 12)
  assert.equal(await textOf({ ...request, stop: [stop, 'never to be seen'] }), text.slice(0, text.indexOf(stop)))
  // The beginning of a stop string that is not completed is given out after all.
  assert.equal(await textOf({ ...request, stop: [`${text.slice(-2)}☃`] }), text)
})

test('an aborted generation throws the reason of the signal', async () => {
  const controller = new AbortController()
  const reason = new Error('caller left')
  const run = async (): Promise<void> => {
    for await (const _ of generate(engine, { ...request, signal: controller.signal })) controller.abort(reason)
  }
  await assert.rejects(run(), reason)
})
