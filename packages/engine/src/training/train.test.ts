import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelSamples, sampleSeed, sampleTokens } from '../check/modelSamples.ts'
import { createEngine } from '../createEngine.ts'
import { initialModelParameters } from '../model/initialModelParameters.ts'
import type { LlamaConfig } from '../model/ModelConfig.ts'
import { mergeLora } from '../model/mergeLora.ts'
import { modelOf } from '../model/modelOf.ts'
import type { Checkpoint } from './Checkpoint.ts'
import { evaluateModel } from './evaluateModel.ts'
import { planTraining } from './planTraining.ts'
import { referenceModel, referenceRecipe, shakespeareModel, shakespeareRecipe } from './referenceTrainings.ts'
import { type TrainingResult, type TrainOptions, train, trainToEnd } from './train.ts'

const engine = await createEngine()
const optionsOf = (name: string): TrainOptions => {
  const { config, recipe, data } = modelSamples[name]!
  return {
    config,
    recipe: { ...recipe, stateEverySteps: 1, evaluateEvery: 2 },
    data,
    validation: data,
    seed: sampleSeed,
  }
}
const llama = modelSamples.llama!.config as LlamaConfig

for (const name of Object.keys(modelSamples)) {
  test(`${name}: a training that goes on from a checkpoint ends in the same bits [E-34]`, async () => {
    const options = optionsOf(name)
    const whole = await trainToEnd(engine, options)
    let saved: Checkpoint | undefined
    for await (const { step, checkpoint } of train(engine, options)) {
      if (step === 2) saved = structuredClone(checkpoint())
      if (step === 3) break
    }
    const resumed = await trainToEnd(engine, { ...options, resume: saved })
    assert.deepEqual(resumed.stateRoots, whole.stateRoots.slice(2))
    assert.deepEqual(resumed.losses, whole.losses.slice(2))
    assert.deepEqual(resumed.checkpoint, whole.checkpoint)
    assert.deepEqual(resumed.best, whole.best)
  })

  test(`${name}: training lowers the loss`, async () => {
    const options = optionsOf(name)
    const recipe = { ...options.recipe, steps: 60, learningRate: 3 * options.recipe.learningRate }
    const { losses, evaluation, best } = await trainToEnd(engine, { ...options, recipe })
    assert.ok(evaluation!.loss < 0.85 * losses[0]!, `${losses[0]} to ${evaluation!.loss}`)
    assert.ok(best!.loss <= evaluation!.loss)
    if (evaluation!.accuracy !== null) assert.ok(evaluation!.accuracy > 0.4)
  })
}

test('a checkpoint of another program, seed or size, or past the last step, is refused [E-34]', async () => {
  const options = optionsOf('mlp')
  const { checkpoint } = await trainToEnd(engine, { ...options, recipe: { ...options.recipe, steps: 3 } })
  const resume = (change: Partial<TrainOptions>, from = checkpoint): Promise<TrainingResult> =>
    trainToEnd(engine, { ...options, resume: from, ...change })
  const refused: [Promise<TrainingResult>, RegExp][] = [
    [resume({ recipe: { ...options.recipe, batch: 4 } }), /programRoot 0x/],
    [resume({ recipe: { ...options.recipe, optimizer: { kind: 'adamw' } } }), /programRoot 0x/],
    [resume({ seed: new Uint8Array(32) }), /seedHash 0x/],
    [resume({ recipe: { ...options.recipe, steps: 3 } }), /step 3, this training 3 steps in all/],
    [resume({}, { ...checkpoint, state: { parameters: checkpoint.state.parameters! } }), /momentum of size undefined/],
    [resume({}, { ...checkpoint, version: 2 as 1 }), /version 2/],
  ]
  for (const [result, message] of refused) await assert.rejects(result, { code: 'CHECKPOINT_MISMATCH', message })
})

test('layers that are computed again give the same bits and need less memory [E-02]', async () => {
  const options = optionsOf('llama')
  const deep = { ...llama, layers: 6, context: 32 }
  const recipe = { ...options.recipe, batch: 4 }
  const [kept, again] = [false, true].map((checkpointing) => ({
    ...options,
    recipe: { ...options.recipe, checkpointing },
  }))
  assert.deepEqual((await trainToEnd(engine, kept!)).stateRoots, (await trainToEnd(engine, again!)).stateRoots)
  const [more, less] = [false, true].map((checkpointing) => planTraining(deep, { ...recipe, checkpointing }))
  assert.ok(less!.peakBytes < 0.7 * more!.peakBytes, `${more!.peakBytes} to ${less!.peakBytes}`)
  assert.ok(less!.flopsPerStep > more!.flopsPerStep)
})

test('dropout works under checkpointing: the noise of a site is the same both times [E-33]', async () => {
  const options = optionsOf('gpt')
  const run = (checkpointing: boolean): Promise<TrainingResult> =>
    trainToEnd(engine, { ...options, recipe: { ...options.recipe, checkpointing } })
  assert.deepEqual((await run(true)).stateRoots, (await run(false)).stateRoots)
})

test('two passes of half the batch give nearly the step of the whole batch', async () => {
  const options = optionsOf('mlp for numbers')
  const run = (batch: number, accumulate: number): Promise<TrainingResult> =>
    trainToEnd(engine, { ...options, recipe: { ...options.recipe, batch, accumulate } })
  const [whole, halves] = [await run(6, 1), await run(3, 2)]
  halves.losses.forEach((loss, i) => {
    assert.ok(Math.abs(loss - whole.losses[i]!) < 1e-5)
  })
})

test('gradients longer than the clip are scaled to it, and the norm before is reported', async () => {
  const options = optionsOf('llama')
  const plain = {
    optimizer: { kind: 'sgd' },
    learningRate: 1,
    decay: 'constant',
    warmupSteps: 0,
    weightDecay: 0,
  } as const
  const recipe = { ...options.recipe, ...plain, steps: 1, clip: 0.01 }
  const base = initialModelParameters(modelOf(llama), sampleSeed)
  const steps = train(engine, { ...options, recipe, parameters: base })
  const { value: step } = await steps.next()
  const { value: result } = await steps.next()
  assert.ok(step && 'norm' in step && step.norm! > 0.01)
  assert.ok(result && 'parameters' in result)
  const moved = result.parameters.reduce((sum, w, i) => sum + (w - base[i]!) * (w - base[i]!), 0)
  assert.ok(Math.abs(Math.sqrt(moved) - 0.01) < 1e-5)
})

test('a step moves along the gradient of the loss: finite differences agree for every kind of model', async () => {
  for (const name of Object.keys(modelSamples)) {
    const options = optionsOf(name)
    const config = 'dropout' in options.config ? { ...options.config, dropout: 0 } : options.config
    const model = modelOf(config)
    const rate = 1e-3
    const recipe = { steps: 1, batch: options.recipe.batch, optimizer: { kind: 'sgd' }, learningRate: 1 } as const
    // Far from the start, where the loss of a sequence model is nearly flat.
    const base = initialModelParameters(model, sampleSeed).map((w, i) => Math.fround(w + 0.03 * ((i % 7) - 3)))
    const lossAt = async (parameters: Float32Array): Promise<TrainingResult> =>
      trainToEnd(engine, { ...options, config, recipe, parameters })
    const { parameters: after } = await lossAt(base)
    const gradient = after.map((w, i) => base[i]! - w)
    const squares = gradient.reduce((sum, g) => sum + g * g, 0)
    const along = (sign: number): Float32Array =>
      base.map((w, i) => Math.fround(w + (sign * rate * gradient[i]!) / Math.sqrt(squares)))
    const [up, down] = [(await lossAt(along(1))).losses[0]!, (await lossAt(along(-1))).losses[0]!]
    const slope = (up - down) / (2 * rate)
    assert.ok(Math.abs(slope / Math.sqrt(squares) - 1) < 0.03, `${name}: ${slope}, expected ${Math.sqrt(squares)}`)
  }
})

test('adapters start as the base, train with the base held fixed, and merge into it', async () => {
  const options = optionsOf('llama')
  const other = { ...sampleTokens, tokens: sampleTokens.tokens.toReversed() }
  const recipe = { ...options.recipe, steps: 60, learningRate: 0.03 }
  const { parameters: frozen } = await trainToEnd(engine, { ...options, data: other, recipe })
  const before = frozen.slice()
  const config: LlamaConfig = { ...llama, lora: { rank: 3, alpha: 6, matrices: ['query', 'value', 'gate', 'down'] } }
  const start = initialModelParameters(modelOf(config), sampleSeed)
  const evaluate = (of: LlamaConfig, parameters: Float32Array, base?: Float32Array): Promise<{ loss: number }> =>
    evaluateModel(engine, modelOf(of), { parameters, frozen: base }, sampleTokens)
  assert.equal((await evaluate(config, start, frozen)).loss, (await evaluate(llama, frozen)).loss)
  const { parameters, losses } = await trainToEnd(engine, { ...options, config, frozen, recipe })
  assert.deepEqual(frozen, before)
  const tuned = await evaluate(config, parameters, frozen)
  assert.ok(tuned.loss < losses[0]! - 0.1, `${losses[0]} to ${tuned.loss}`)
  const merged = await evaluate(llama, mergeLora(config, frozen, parameters))
  assert.ok(Math.abs(merged.loss - tuned.loss) < 1e-5)
  assert.equal(parameters.length, 2 * 3 * (24 + 24 + 29 + 29))
  await assert.rejects(trainToEnd(engine, { ...options, config, recipe }), { code: 'SHAPE', message: /frozen/ })
})

test('a NaN names operator, step and first index [E-05]', async () => {
  const options = optionsOf('llama')
  const recipe = { ...options.recipe, clip: 1e30, learningRate: 1e38, warmupSteps: 0 }
  await assert.rejects(
    trainToEnd(engine, { ...options, recipe }),
    (error: Error & { facts?: Record<string, unknown> }) => {
      assert.match(error.message, /^step \d: \w+ .* gave NaN at element \d+/)
      assert.ok(error.facts!.step && error.facts!.operator && error.facts!.index !== undefined)
      return true
    },
  )
})

test('bad data is refused before training, with row, column and value', async () => {
  const options = optionsOf('mlp')
  const rows = modelSamples.mlp!.data
  assert.ok(rows.kind === 'rows')
  const refused: [Partial<TrainOptions>, string, RegExp][] = [
    [{ data: sampleTokens }, 'BAD_DATA', /mlp model takes rows, got tokens/],
    [{ data: { ...rows, inputs: new Float32Array(0) } }, 'EMPTY_DATA', /no row/],
    [{ data: { ...rows, inputs: rows.inputs.subarray(1) } }, 'SHAPE', /114 numbers are not whole rows of 5/],
    [
      { data: { ...rows, inputs: rows.inputs.map((x, i) => (i === 7 ? Number.NaN : x)) } },
      'BAD_DATA',
      /row 1, column 2 is NaN/,
    ],
    [
      { data: { ...rows, targets: rows.targets.map((y, i) => (i === 4 ? 3 : y)) as Int32Array } },
      'BAD_LABEL',
      /label 3 of row 4/,
    ],
    [
      { data: { ...rows, targets: rows.targets.subarray(2) as Int32Array } },
      'SHAPE',
      /23 rows need 23 targets, got 21/,
    ],
    [{ recipe: { ...options.recipe, floor: 1 } }, 'BAD_RECIPE', /floor must be from 0 to the learning rate, got 1/],
    [{ recipe: { ...options.recipe, optimizer: { kind: 'adamw', beta1: 1 } } }, 'BAD_RECIPE', /optimizer.beta1/],
    [{ recipe: { ...options.recipe, accumulate: 0 } }, 'BAD_RECIPE', /accumulate .* got 0/],
  ]
  for (const [change, code, message] of refused) {
    await assert.rejects(trainToEnd(engine, { ...options, ...change }), { code, message })
  }
  const text = optionsOf('gpt')
  const short = { ...sampleTokens, tokens: sampleTokens.tokens.subarray(0, 10) }
  await assert.rejects(trainToEnd(engine, { ...text, data: short }), {
    code: 'SHORT_TEXT',
    message: /more than 10 .* got 10/,
  })
  const strange = {
    ...sampleTokens,
    tokens: sampleTokens.tokens.map((token, i) => (i === 5 ? 99 : token)) as Uint8Array,
  }
  await assert.rejects(trainToEnd(engine, { ...text, data: strange }), {
    code: 'BAD_TOKEN',
    message: /99 at position 5/,
  })
})

test('an aborted training ends between two steps with the reason of the signal', async () => {
  const controller = new AbortController()
  const reason = new Error('closed')
  const onStep = ({ step }: { step: number }): void => {
    if (step === 2) controller.abort(reason)
  }
  await assert.rejects(trainToEnd(engine, { ...optionsOf('logistic'), onStep, signal: controller.signal }), reason)
})

test('a plan says what a training needs before it runs: the reference model by hand', () => {
  const { parameters, peakBytes, flopsPerStep, operations } = planTraining(referenceModel, referenceRecipe)
  const [V, C, F, R, T] = [512, 256, 768, 8 * 128, 128]
  assert.equal(parameters, 2 * V * C + C + 4 * (4 * C * C + 3 * C * F + 2 * C))
  // Forward and twice that backward: linear layers, the head, and the two products of attention.
  const products = 3 * (2 * R * (4 * (4 * C * C + 3 * C * F) + C * V) + 4 * 2 * 2 * R * T * C)
  assert.ok(flopsPerStep > products && flopsPerStep < 1.05 * products, `${flopsPerStep} of ${products}`)
  assert.ok(peakBytes > 16 * parameters && peakBytes < 300e6)
  assert.ok(operations > 100 && operations < 1000)
  assert.equal(planTraining(shakespeareModel, shakespeareRecipe).parameters, 805_248)
})
