import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PotluckError } from '@potluck/protocol'
import { chooseConfig } from './chooseConfig.ts'
import { chooseRecipe } from './chooseRecipe.ts'
import type { DataShape } from './LoadedData.ts'
import { parseModelFile, readModelFile } from './readModelFile.ts'

const small: DataShape = { kind: 'table', inputs: 5, classes: 3, rows: 100 }
const large: DataShape = { ...small, rows: 5_000 }
const numbers: DataShape = { ...small, classes: null }
const mnist: DataShape = { kind: 'images', height: 28, width: 28, channels: 1, classes: 10, images: 57_000 }
const text: DataShape = { kind: 'text', vocabulary: 65, tokens: 1_000_000, shortest: 100_000 }

const refusal =
  (code: string, ...parts: string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof PotluckError, String(thrown))
    assert.equal(thrown.code, code)
    for (const part of parts) assert.ok(thrown.message.includes(part), `"${part}" is not in: ${thrown.message}`)
    return true
  }

test('each kind of data has its usual model', () => {
  assert.deepEqual(chooseConfig(small), { kind: 'logistic', inputs: 5, classes: 3 })
  const wide = chooseConfig(large)
  assert.ok(wide.kind === 'mlp' && wide.classes === 3 && wide.hidden.length === 2)
  const linear = chooseConfig(numbers)
  assert.ok(linear.kind === 'mlp' && linear.regression === 1 && linear.hidden.length === 0)
  const images = chooseConfig(mnist)
  assert.ok(images.kind === 'cnn' && images.convolutions.length === 2)
  const llama = chooseConfig(text)
  assert.ok(llama.kind === 'llama' && llama.context === 64 && llama.vocabulary === 65)
  const short = chooseConfig({ ...text, shortest: 10 })
  assert.ok(short.kind === 'llama' && short.context === 9)
  for (const size of [1, 3, 8, 16, 300]) chooseConfig({ ...mnist, height: size, width: size })
})

test('what is written takes the place of the usual, and must fit the data', () => {
  const gpt = chooseConfig(text, { kind: 'gpt', layers: 1, width: 32 })
  assert.ok(gpt.kind === 'gpt' && gpt.layers === 1 && gpt.width === 32 && gpt.vocabulary === 65)
  const roomy = chooseConfig(text, { kind: 'llama', vocabulary: 128 })
  assert.ok(roomy.kind === 'llama' && roomy.vocabulary === 128)
  assert.throws(() => chooseConfig(text, { kind: 'llama', vocabulary: 64 }), refusal('SHAPE', 'vocabulary 64', '65'))
  assert.throws(() => chooseConfig(large, { kind: 'mlp', inputs: 6 }), refusal('SHAPE', 'inputs 6', 'has 5'))
  assert.throws(() => chooseConfig(large, { kind: 'mlp', hiden: [3] }), refusal('BAD_CONFIG', 'hiden', 'hidden'))
  assert.throws(() => chooseConfig(text, { kind: 'llama', heads: 3 }), refusal('BAD_CONFIG', 'width'))
  assert.throws(() => chooseConfig(text, { kind: 'llama', layers: 1e9 }), refusal('BAD_CONFIG', 'layers', '1000000000'))
  assert.throws(() => chooseConfig(mnist, { kind: 'gpt' }), refusal('BAD_CONFIG', 'gpt', 'cnn or mlp or logistic'))
  assert.throws(() => chooseConfig(numbers, { kind: 'logistic' }), refusal('BAD_CONFIG', 'a number to predict', 'mlp'))
})

test('a model file is YAML or JSON with a kind, and a kind alone is enough', () => {
  assert.deepEqual(readModelFile('mlp'), { kind: 'mlp' })
  assert.deepEqual(parseModelFile('{"kind": "cnn", "hidden": [3]}', 'f'), { kind: 'cnn', hidden: [3] })
  assert.deepEqual(parseModelFile('kind: gpt\nlayers: 2\n', 'f'), { kind: 'gpt', layers: 2 })
  for (const bad of ['', '[1]', 'kind: tree', 'kind: 3', 'a: [', '{}'])
    assert.throws(() => parseModelFile(bad, 'f.yaml'), refusal('BAD_CONFIG', 'f.yaml'), bad)
  assert.throws(() => readModelFile('no-such.yaml'), refusal('FILE_MISSING', 'logistic, mlp'))
})

test('a recipe takes what is wished and the usual for the rest', () => {
  const usual = chooseRecipe(chooseConfig(text), text, { recompute: false })
  assert.deepEqual([usual.steps, usual.batch, usual.optimizer.kind], [1_000, 12, 'adamw'])
  const config = chooseConfig(small)
  const wished = chooseRecipe(config, small, {
    steps: 7,
    batch: 3,
    rate: 0.5,
    optimizer: 'sgd',
    evaluateEvery: 2,
    recompute: true,
  })
  assert.deepEqual(
    [
      wished.steps,
      wished.batch,
      wished.learningRate,
      wished.optimizer.kind,
      wished.evaluateEvery,
      wished.checkpointing,
    ],
    [7, 3, 0.5, 'sgd', 2, true],
  )
  const tiny = chooseRecipe(config, { ...small, rows: 2 }, { recompute: false })
  assert.equal(tiny.batch, 1)
})
