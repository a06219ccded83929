import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableEncodingOf } from './encodingOf.ts'
import type { TrainedModel } from './loadTrained.ts'

const number = {
  kind: 'number',
  name: 'age',
  index: 0,
  mean: 50,
  deviation: 9,
  indicator: false,
  missing: 0,
  strays: 0,
}
const target = { task: 'classification', name: 'sick', index: 1, classes: ['no', 'yes'], why: 'two values' }
const modelWith = (input: object): TrainedModel =>
  ({ folder: 'trained', input: { data: 'table', ...input } }) as TrainedModel

test('what config.json says of a table is read, with whatever else it may say', () => {
  const { columns, target: read } = tableEncodingOf(modelWith({ columns: [number], target, note: 'x' }))
  assert.deepEqual([columns, read], [[number], target])
})

test('a config.json that was damaged is one error that names the place', () => {
  for (const [input, place] of [
    [{ target }, 'input.columns'],
    [{ columns: [number] }, 'input.target'],
    [{ columns: [{ ...number, mean: '50' }], target }, 'input.columns.0.mean'],
    [{ columns: [{ ...number, kind: 'colour' }], target }, 'input.columns.0.kind'],
    [{ columns: [number], target: { ...target, classes: 'no' } }, 'input.target.classes'],
  ] as const) {
    assert.throws(() => tableEncodingOf(modelWith(input)), { code: 'BAD_MODEL', message: new RegExp(`\\(${place}: `) })
  }
})
