import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, concatBytes } from '@potluck/protocol'
import {
  evaluateLogistic,
  inputsFromValues,
  type LogisticModel,
  predictHeart,
  predictLogistic,
} from './logisticModel.ts'
import { decodeLogisticModel, encodeLogisticModel } from './logisticModelBytes.ts'
import { heartSchema, inputNames } from './tableSchema.ts'

const small: LogisticModel = {
  schema: 'toy',
  inputs: ['a', 'b=2'],
  scaling: { mean: [10, 0], sd: [2, 1] },
  weights: [1, -0.5, 0.25],
}
const heart: LogisticModel = {
  schema: heartSchema.name,
  inputs: inputNames(heartSchema),
  scaling: { mean: new Array<number>(13).fill(0), sd: new Array<number>(13).fill(1) },
  weights: [0.01, 0.5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0.25, -1],
}
const patient = {
  age: 50,
  sex: 1,
  cp: 4,
  trestbps: 120,
  chol: 200,
  fbs: 0,
  restecg: 0,
  thalach: 150,
  exang: 0,
  oldpeak: -1,
}
const near = (value: number, expected: number): void => assert.ok(Math.abs(value - expected) < 1e-15, `${value}`)

test('predicts worked values: scaled inputs times weights through the logistic curve [L-20]', () => {
  // (12 - 10) / 2 * 1 - 0.5 + 0.25 = 0.75
  near(predictLogistic(small, Float64Array.of(12, 1)), 0.679178699175393)
  // 0.5 + 0.5 + 1 - 0.25 - 1 = 0.75
  near(predictHeart(heart, patient), 0.679178699175393)
  assert.equal(predictLogistic({ ...small, weights: [1e6, 0, 0] }, Float64Array.of(12, 1)), 1)
  assert.equal(predictLogistic({ ...small, weights: [-1e6, 0, 0] }, Float64Array.of(12, 1)), 0)
})

test('counts right answers', () => {
  const rows = [12, 8, 8, 8].map((a, i) => ({
    lineIndex: i,
    inputs: Float64Array.of(a, 0),
    label: i < 2 ? (1 as const) : (0 as const),
  }))
  assert.deepEqual(evaluateLogistic(small, rows), { correct: 3, rows: 4, accuracy: 0.75 })
})

test('refuses missing, unknown, textual and impossible values by name [L-20]', () => {
  const { age: _, ...ageless } = patient
  const cases: [Record<string, unknown>, RegExp][] = [
    [ageless, /age .*0 to 120.*undefined/],
    [{ ...patient, weight: 80 }, /no input weight/],
    [{ ...patient, chol: '200' }, /chol/],
    [{ ...patient, chol: Number.NaN }, /chol/],
    [{ ...patient, cp: 5 }, /cp .*1, 2, 3, 4.*5/],
    [{ ...patient, num: 1 }, /no input num/],
  ]
  for (const [values, message] of cases) {
    assert.throws(
      () => predictHeart(heart, values),
      (error) => codeOf(error) === 'BAD_INPUTS' && message.test(String(error)),
    )
  }
  assert.throws(
    () => predictHeart(small, patient),
    (error) => codeOf(error) === 'WRONG_MODEL',
  )
  assert.throws(
    () => inputsFromValues(heartSchema, Object.create(patient)),
    (error) => codeOf(error) === 'BAD_INPUTS',
  )
})

test('survives the way through bytes, which are the same for the same model [L-19]', () => {
  for (const model of [small, heart]) {
    const bytes = encodeLogisticModel(model)
    assert.deepEqual(decodeLogisticModel(bytes), model)
    assert.deepEqual(encodeLogisticModel(decodeLogisticModel(bytes)), bytes)
    // Also when it stands inside a larger buffer.
    const inside = concatBytes(Uint8Array.of(9, 9, 9), bytes).subarray(3)
    assert.deepEqual(decodeLogisticModel(inside), model)
  }
  assert.deepEqual(
    encodeLogisticModel({ ...small, weights: [1, -0.5, -0] }),
    encodeLogisticModel({ ...small, weights: [1, -0.5, 0] }),
  )
})

test('refuses models that make no sense before writing them [L-19]', () => {
  const bad: LogisticModel[] = [
    { ...small, weights: [1, 2] },
    { ...small, weights: [1, 2, Number.NaN] },
    { ...small, inputs: ['a', 'a'] },
    { ...small, inputs: ['a', ''] },
    { ...small, schema: 'x'.repeat(300) },
    { ...small, scaling: { mean: [0, 0], sd: [1, 0] } },
    { schema: 'none', inputs: [], scaling: { mean: [], sd: [] }, weights: [1] },
  ]
  for (const model of bad)
    assert.throws(
      () => encodeLogisticModel(model),
      (error) => codeOf(error) === 'BAD_MODEL',
    )
})

test('refuses every cut, every longer form and hostile counts, always with the same code [L-19]', () => {
  const bytes = encodeLogisticModel(small)
  const hostile: Uint8Array[] = [concatBytes(bytes, Uint8Array.of(0))]
  for (let length = 0; length < bytes.length; length++) hostile.push(bytes.slice(0, length))
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0x00, 0x7f, 0x80, 0xff]) {
      const changed = bytes.slice()
      changed[at] = value
      hostile.push(changed)
    }
  }
  for (const candidate of hostile) {
    try {
      // What is accepted must be the one form of what it says.
      assert.deepEqual(encodeLogisticModel(decodeLogisticModel(candidate)), candidate)
    } catch (error) {
      assert.equal(codeOf(error), 'BAD_MODEL', String(error))
    }
  }
  const negativeZero = bytes.slice()
  negativeZero.set([0x80, 0, 0, 0, 0, 0, 0, 0], bytes.length - 8)
  for (const candidate of hostile.slice(0, bytes.length + 1).concat([negativeZero])) {
    assert.throws(
      () => decodeLogisticModel(candidate),
      (error) => codeOf(error) === 'BAD_MODEL',
    )
  }
})
