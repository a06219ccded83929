import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createEngine,
  evaluateModel,
  initialModelParameters,
  type MlpConfig,
  type ModelConfig,
  modelOf,
  RandomStream,
  type TrainingData,
  trainToEnd,
} from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import { matchingConfig } from './matchingConfig.ts'
import { modelLogits } from './modelLogits.ts'
import { softTargets } from './softTargets.ts'

const engine = await createEngine()
const seed = utf8('distillation')
const random = new RandomStream(seed, 99, 0)
const inputsOf = (rows: number, from = 0): Float32Array =>
  Float32Array.from({ length: 4 * rows }, (_, i) => random.normal(from + i))

const mlp: ModelConfig = { kind: 'mlp', inputs: 4, hidden: [6], activation: 'tanh', dropout: 0.5, classes: 3 }

test('logits of a linear model are those worked out by hand, for more rows than one run takes', async () => {
  const model = modelOf({ kind: 'logistic', inputs: 4, classes: 3 })
  const parameters = Float32Array.from({ length: 15 }, (_, i) => (i % 7) - 3)
  const inputs = Float32Array.from({ length: 4 * 131 }, (_, i) => (i % 11) - 5)
  const logits = await modelLogits(engine, model, parameters, inputs)
  for (let r = 0; r < 131; r++) {
    for (let c = 0; c < 3; c++) {
      // Small whole numbers: every order of summation is exact.
      let expected = parameters[12 + c]!
      for (let i = 0; i < 4; i++) expected += inputs[4 * r + i]! * parameters[3 * i + c]!
      assert.equal(logits[3 * r + c], expected)
    }
  }
})

test('a row has the same logits alone and among others, and dropout has no part in them', async () => {
  const model = modelOf(mlp)
  const parameters = initialModelParameters(model, seed)
  const inputs = inputsOf(70)
  const all = await modelLogits(engine, model, parameters, inputs)
  const alone = await modelLogits(engine, model, parameters, inputs.subarray(4 * 69))
  assert.deepEqual(alone, all.slice(3 * 69))
  await assert.rejects(modelLogits(engine, model, parameters, inputs.subarray(1)), { code: 'SHAPE' })
})

test('soft targets are logits less their mean, and a logit that is no number is refused', () => {
  assert.deepEqual(softTargets(Float32Array.of(1, 2, 6, -4, -4, -4), 3), Float32Array.of(-2, -1, 3, 0, 0, 0))
  assert.throws(() => softTargets(Float32Array.of(1, 2, Number.NaN, 0), 2), { code: 'BAD_TEACHER' })
})

test('a student has the same parameters in the same places while it learns numbers', () => {
  const places = (config: ModelConfig) =>
    modelOf(config).parameters.map(({ name, offset, shape }) => [name, offset, shape])
  for (const student of [mlp, { kind: 'logistic', inputs: 4, classes: 3 }] satisfies ModelConfig[]) {
    assert.deepEqual(places(matchingConfig(student)), places(student))
  }
  assert.equal(matchingConfig(mlp).dropout, 0.5)
  const numbers: MlpConfig = { kind: 'mlp', inputs: 4, hidden: [], activation: 'relu', regression: 1 }
  const cnn: ModelConfig = {
    kind: 'cnn',
    height: 2,
    width: 2,
    channels: 1,
    convolutions: [{ channels: 1, kernel: 1, stride: 1, padding: 0, pool: 1 }],
    hidden: [],
    classes: 2,
  }
  for (const other of [numbers, cnn]) assert.throws(() => matchingConfig(other), { code: 'BAD_STUDENT' })
})

test('a student that never sees a label answers as its teacher does on rows that neither was shown', async () => {
  const teacher = modelOf({ kind: 'logistic', inputs: 4, classes: 3 })
  const parameters = Float32Array.from({ length: 15 }, (_, i) => 2 * random.normal(9_000 + i))
  const soft = async (inputs: Float32Array): Promise<TrainingData> => ({
    kind: 'rows',
    inputs,
    targets: softTargets(await modelLogits(engine, teacher, parameters, inputs), 3),
  })
  const student: ModelConfig = { kind: 'mlp', inputs: 4, hidden: [12], activation: 'tanh', classes: 3 }
  const learned = await trainToEnd(engine, {
    config: matchingConfig(student),
    recipe: { steps: 300, batch: 32, optimizer: { kind: 'adamw' }, learningRate: 0.02 },
    data: await soft(inputsOf(400)),
    seed,
  })
  const inputs = inputsOf(200, 4_000)
  const logits = await modelLogits(engine, teacher, parameters, inputs)
  const answers = Int32Array.from({ length: 200 }, (_, r) => {
    const row = [...logits.subarray(3 * r, 3 * r + 3)]
    return row.indexOf(Math.max(...row))
  })
  const data: TrainingData = { kind: 'rows', inputs, targets: answers }
  const { accuracy } = await evaluateModel(engine, modelOf(student), { parameters: learned.parameters }, data)
  assert.ok((accuracy ?? 0) > 0.9, `${accuracy}`)
})
