import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smallRecipe, smallSeed, smallTokens } from '../check/engineVectors.ts'
import { createEngine } from '../createEngine.ts'
import { exactLog64 } from '../math/log64.ts'
import { initialParameters } from '../model/initialParameters.ts'
import { logitsProgram, lossProgram, vocabularySize } from '../model/languagePrograms.ts'
import { drawBatch } from './drawBatch.ts'
import { evaluateCharacters, evaluateLoss } from './evaluateLoss.ts'
import { checkRecipe, type LanguageRecipe } from './LanguageRecipe.ts'
import { stepRates } from './stepRates.ts'
import { type LocalTraining, trainLocally } from './trainLocally.ts'

const engine = await createEngine()
const { config } = smallRecipe
const base = initialParameters(config, smallSeed)
const training: LocalTraining = { recipe: smallRecipe, base, tokens: smallTokens, seed: smallSeed }

test('training twice gives the same bits and leaves the base as it was [E-02]', async () => {
  const before = base.slice()
  const [a, b] = [await trainLocally(engine, training), await trainLocally(engine, training)]
  assert.deepEqual(a, b)
  assert.deepEqual(base, before)
})

test('two trainings interleaved on one engine do not touch each other [E-02]', async () => {
  const alone = await trainLocally(engine, training)
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const other = { ...training, seed: new Uint8Array(32) }
  const [together] = await Promise.all([
    trainLocally(engine, { ...training, pause }),
    trainLocally(engine, { ...other, pause }),
  ])
  assert.deepEqual(together, alone)
})

test('another seed, base, text or rate gives another state [E-17]', async () => {
  const { stateRoots } = await trainLocally(engine, training)
  const moved = base.slice()
  moved[0] = Math.fround(moved[0]! + 1e-6)
  const variants: LocalTraining[] = [
    { ...training, seed: new Uint8Array(32) },
    { ...training, base: moved },
    { ...training, tokens: smallTokens.slice(1) },
    { ...training, recipe: { ...smallRecipe, learningRate: 0.0101 } },
    { ...training, recipe: { ...smallRecipe, weightDecay: 0 } },
  ]
  for (const variant of variants) {
    assert.notEqual((await trainLocally(engine, variant)).stateRoots.at(-1), stateRoots.at(-1))
  }
})

test('state roots are taken every so many steps and after the last [E-17]', async () => {
  const each = await trainLocally(engine, training)
  const some = await trainLocally(engine, { ...training, recipe: { ...smallRecipe, stateEverySteps: 2 } })
  assert.equal(each.stateRoots.length, 5)
  assert.deepEqual(some.stateRoots, [each.stateRoots[1], each.stateRoots[3], each.stateRoots[4]])
})

test('the untrained model gives every character the same probability and training lowers the loss', async () => {
  const steps: number[] = []
  const recipe = { ...smallRecipe, steps: 40, learningRate: 0.02 }
  const { parameters, losses } = await trainLocally(engine, { ...training, recipe, onStep: (step) => steps.push(step) })
  const even = exactLog64([...config.vocabulary].length)
  assert.ok(Math.abs(losses[0]! - even) < 1e-5)
  assert.ok((await evaluateLoss(engine, config, parameters, smallTokens)) < even - 0.8)
  assert.deepEqual(
    steps,
    Array.from({ length: 40 }, (_, i) => i + 1),
  )
})

test('an aborted training ends between two steps with the reason of the signal', async () => {
  const controller = new AbortController()
  const reason = new Error('round closed')
  const onStep = (step: number): void => {
    if (step === 2) controller.abort(reason)
  }
  await assert.rejects(trainLocally(engine, { ...training, onStep, signal: controller.signal }), reason)
})

test('a learning rate that explodes stops with NAN and the operator, not with a broken model [E-05]', async () => {
  const recipe = { ...smallRecipe, learningRate: 1e38 }
  await assert.rejects(trainLocally(engine, { ...training, recipe }), { code: 'NAN', message: /gave NaN at element/ })
})

test('bad input is refused before training, with the value seen', async () => {
  const refused: [Partial<LocalTraining>, string, RegExp][] = [
    [{ base: base.subarray(1) }, 'SHAPE', /input parameters takes/],
    [{ tokens: Uint8Array.of(200, 1, 2) }, 'BAD_TOKEN', /token 200 at position 0/],
    [{ tokens: smallTokens.subarray(0, 13) }, 'SHORT_TEXT', /more than 13 characters to train on, got 13/],
    [{ recipe: { ...smallRecipe, batch: 0 } }, 'BAD_RECIPE', /batch must be whole and at least 1, got 0/],
    [{ recipe: { ...smallRecipe, config: { ...config, heads: 5 } } }, 'BAD_CONFIG', /width 12 .* heads 5/],
    [{ base: base.map((x, i) => (i === 4 ? Number.NaN : x)) }, 'NAN', /input parameters holds NaN at element 4/],
  ]
  for (const [change, code, message] of refused) {
    await assert.rejects(trainLocally(engine, { ...training, ...change }), { code, message })
  }
  for (const bad of [{ learningRate: -1 }, { beta2: 1 }, { steps: 1.5 }, { warmupSteps: -1 }, { epsilon: 0 }]) {
    assert.throws(() => checkRecipe({ ...smallRecipe, ...bad } as LanguageRecipe), { code: 'BAD_RECIPE' })
  }
})

test('rates warm up linearly and correct the moments by products of beta [E-16]', () => {
  const f = Math.fround
  const rates = [...stepRates({ ...smallRecipe, steps: 3, warmupSteps: 2, learningRate: 0.01 })]
  assert.deepEqual(
    rates.map((rate) => rate[0]),
    [f(f(0.01) * 0.5), f(0.01), f(0.01)],
  )
  assert.equal(rates[0]![1], f(rates[0]![0]! * f(0.1)))
  assert.equal(rates[0]![2], f(1 / f(1 - f(0.9))))
  assert.equal(rates[2]![2], f(1 / f(1 - f(f(f(0.9) * f(0.9)) * f(0.9)))))
})

test('a batch is a function of seed and step, and its targets are the characters one further on [E-14]', () => {
  const T = config.context
  const draw = (step: number): { inputs: Int32Array; targets: Int32Array } =>
    drawBatch(smallSeed, step, smallTokens, 4, T)
  assert.deepEqual(draw(1), draw(1))
  assert.notDeepEqual(draw(1), draw(2))
  const { inputs, targets } = draw(1)
  for (let b = 0; b < 4; b++) assert.deepEqual(inputs.slice(b * T + 1, b * T + T), targets.slice(b * T, b * T + T - 1))
})

test('evaluation counts every character but the first exactly once, whatever the length [E-18]', async () => {
  const T = config.context
  for (const length of [2, T, T + 1, T + 2, 40, smallTokens.length]) {
    const tokens = smallTokens.subarray(0, length)
    // By hand: one window at a time, each in a run of its own.
    const execution = await engine.prepare(lossProgram(config, 1))
    execution.write(
      'parameters',
      base.map((x, i) => x + Math.fround((i % 5) * 0.01)),
    )
    let sum = 0
    for (let from = 0; from < length - 1; from += T) {
      const [inputs, targets] = [new Int32Array(T), new Int32Array(T)]
      const used = Math.min(T, length - 1 - from)
      for (let i = 0; i < used; i++) [inputs[i], targets[i]] = [tokens[from + i]!, tokens[from + i + 1]!]
      execution.write('tokens', inputs)
      execution.write('targets', targets)
      execution.run()
      for (const loss of execution.read('losses').subarray(0, used)) sum += loss
    }
    const parameters = base.map((x, i) => x + Math.fround((i % 5) * 0.01))
    assert.equal(await evaluateLoss(engine, config, parameters, tokens), sum / (length - 1))
  }
  await assert.rejects(evaluateLoss(engine, config, base, smallTokens.subarray(0, 1)), { code: 'SHORT_TEXT' })
})

test('a character counts as right where its logit is the largest, in the same loss as without counting', async () => {
  const T = config.context
  const parameters = base.map((x, i) => x + Math.fround((i % 7) * 0.01))
  const tokens = smallTokens.subarray(0, 3 * T + 2)
  const execution = await engine.prepare(logitsProgram(config))
  execution.write('parameters', parameters)
  const V = vocabularySize(config)
  let right = 0
  for (let from = 0; from < tokens.length - 1; from += T) {
    const inputs = new Int32Array(T)
    const used = Math.min(T, tokens.length - 1 - from)
    inputs.set(tokens.subarray(from, from + used))
    execution.write('tokens', inputs)
    execution.run()
    const logits = execution.read('logits')
    for (let t = 0; t < used; t++) {
      const row = logits.subarray(t * V, (t + 1) * V)
      if (row.indexOf(Math.max(...row)) === tokens[from + t + 1]) right++
    }
  }
  const seen = await evaluateCharacters(engine, config, parameters, tokens)
  assert.equal(seen.loss, await evaluateLoss(engine, config, parameters, tokens))
  assert.deepEqual([seen.accuracy, seen.n], [right / (tokens.length - 1), tokens.length - 1])
  assert.ok(right > 0)
})
