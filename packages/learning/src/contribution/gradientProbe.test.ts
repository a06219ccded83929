import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createEngine,
  evaluateModel,
  initialModelParameters,
  type ModelConfig,
  modelOf,
  RandomStream,
  type TrainingData,
} from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import { gradientProbe } from './gradientProbe.ts'

const engine = await createEngine()
const config: ModelConfig = { kind: 'mlp', inputs: 4, hidden: [5], activation: 'tanh', classes: 3 }
const random = new RandomStream(utf8('probe'), 99, 0)
const rows = 11
const data: TrainingData = {
  kind: 'rows',
  inputs: Float32Array.from({ length: 4 * rows }, (_, i) => random.normal(i)),
  targets: Int32Array.from({ length: rows }, (_, i) => i % 3),
}
const parameters = initialModelParameters(modelOf(config), utf8('start'))

test('the probe gives the loss that an evaluation gives, and its slope along every parameter [L-60]', async () => {
  const probe = await gradientProbe(engine, config, 4)
  const { loss, gradient } = probe(parameters, data)
  const { loss: expected } = await evaluateModel(engine, modelOf(config), { parameters }, data)
  assert.ok(Math.abs(loss - expected) < 1e-6, `${loss}, expected ${expected}`)
  const [width, change] = [1 / 128, new Float32Array(parameters.length)]
  for (let j = 0; j < parameters.length; j++) {
    change.fill(0)
    change[j] = width
    const up = probe(
      parameters.map((x, i) => x + change[i]!),
      data,
    ).loss
    const down = probe(
      parameters.map((x, i) => x - change[i]!),
      data,
    ).loss
    const slope = (up - down) / (2 * width)
    assert.ok(Math.abs(slope - gradient[j]!) < 2e-4, `parameter ${j}: ${gradient[j]}, slope ${slope}`)
  }
})

test('the probe has the same gradient however its rows are divided into passes, and leaves dropout out', async () => {
  const whole = (await gradientProbe(engine, config, 11))(parameters, data)
  for (const probe of [
    await gradientProbe(engine, config, 3),
    await gradientProbe(engine, config, 64),
    await gradientProbe(engine, { ...config, dropout: 0.5 }, 11),
  ]) {
    const { loss, gradient } = probe(parameters, data)
    assert.ok(Math.abs(loss - whole.loss) < 1e-6)
    gradient.forEach((value, j) => {
      assert.ok(Math.abs(value - whole.gradient[j]!) < 1e-6, `parameter ${j}`)
    })
  }
})

test('the probe refuses rows that the model does not take, and models of texts', async () => {
  const probe = await gradientProbe(engine, config)
  const none: TrainingData = { kind: 'rows', inputs: new Float32Array(0), targets: new Int32Array(0) }
  assert.throws(() => probe(parameters, none), { code: 'EMPTY_DATA' })
  assert.throws(() => probe(parameters.subarray(1), data), { code: 'SHAPE' })
  const gpt: ModelConfig = { kind: 'gpt', vocabulary: 5, context: 4, width: 4, layers: 1, heads: 1 }
  await assert.rejects(gradientProbe(engine, gpt), { code: 'BAD_DATA', message: /takes texts/ })
})
