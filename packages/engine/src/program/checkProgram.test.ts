import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operatorCases, writeCase } from '../check/operatorCases.ts'
import { programCases } from '../check/programCases.ts'
import { addition, product } from '../operators/scalar.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import { checkProgram } from './checkProgram.ts'
import type { MapOperation, MatmulOperation, Operation, Program, RowsOperation, WindowOperation } from './Program.ts'
import { full, ProgramBuilder } from './ProgramBuilder.ts'

type Draft = {
  tensors: Program['tensors'][number][]
  operations: Operation[]
  inputs: Record<string, number>
  outputs: Record<string, number>
  carries: { from: number; to: number }[]
}

/** x + x, a product of it, rows picked from that, windows over that: one operation of each family. */
function sound(): Draft {
  const builder = new ProgramBuilder()
  const [x, w, index] = [builder.input('x', [4, 4]), builder.input('w', [4, 4]), builder.input('index', [4], 'i32')]
  const sum = builder.map('sum', addition, 4, 4, [full(x), full(x)], [4, 4])
  const strides = { group: 0, subgroup: 0, row: 4, column: 1 }
  const form = { groups: 1, subgroups: 1, M: 4, N: 4, K: 4, a: strides, b: strides, c: strides }
  const mixed = builder.matmul('mixed', form, sum, w, [4, 4])
  const picked = builder.gatherRows('picked', mixed, index)
  const window = { images: 1, height: 4, width: 4, channels: 1, kernelHeight: 2, kernelWidth: 2, stride: 2, padding: 0 }
  const cut = builder.window('cut', window, picked)
  const norm = builder.reduce('rowSum', 'norm', product, 1, 16, [full(cut), full(cut)])
  builder.output('norm', norm)
  builder.carry(cut, x)
  return structuredClone(builder.finish()) as Draft
}

const at = <T extends object>(draft: Draft, label: string): { -readonly [K in keyof T]: T[K] } =>
  draft.operations.find((operation) => operation.label === label) as object as T

/** x plus a row index. */
const indexSum = ((): ScalarProgram => {
  const s = new ScalarBuilder('indexSum')
  return s.finish(s.add(s.input(), s.toFloat(s.integerInput())))
})()

const faults: readonly [string, 'BAD_PROGRAM' | 'SHAPE', RegExp, (draft: Draft) => void][] = [
  [
    'a tensor id out of range',
    'BAD_PROGRAM',
    /map sum: tensor 99 of/,
    (d) => (at<MapOperation>(d, 'sum').outputs = [99]),
  ],
  [
    'a fractional tensor id',
    'BAD_PROGRAM',
    /matmul mixed: tensor 0.5 of/,
    (d) => (at<MatmulOperation>(d, 'mixed').inputs = [0.5, 1]),
  ],
  ['an input id out of range', 'BAD_PROGRAM', /input x: tensor -1/, (d) => (d.inputs.x = -1)],
  ['two names for one input', 'BAD_PROGRAM', /under another name/, (d) => (d.inputs.again = 0)],
  ['an output that nothing writes', 'BAD_PROGRAM', /output norm: .*nothing wrote it/, (d) => void d.operations.pop()],
  [
    'an operation read before it runs',
    'BAD_PROGRAM',
    /rowSum norm: cut f32.*is read, but/,
    (d) => void d.operations.reverse(),
  ],
  [
    'a cycle',
    'BAD_PROGRAM',
    /map sum: cut f32.*break cycles/,
    (d) =>
      (at<MapOperation>(d, 'sum').operands = [
        { from: 'full', tensor: 6 },
        { from: 'full', tensor: 6 },
      ]),
  ],
  [
    'an operation that reads what it writes',
    'BAD_PROGRAM',
    /map sum: sum f32.*is read, but/,
    (d) =>
      (at<MapOperation>(d, 'sum').operands = [
        { from: 'full', tensor: 0 },
        { from: 'full', tensor: 3 },
      ]),
  ],
  ['a tensor written twice', 'BAD_PROGRAM', /was written before/, (d) => void d.operations.push(d.operations[0]!)],
  ['an input that is written', 'BAD_PROGRAM', /is an input or/, (d) => (at<MapOperation>(d, 'sum').outputs = [1])],
  [
    'a view beyond its base',
    'SHAPE',
    /at offset 1 leaves its base/,
    (d) => (d.tensors[3] = { ...d.tensors[3]!, view: { base: 0, offset: 1 } }),
  ],
  [
    'a view of a view',
    'BAD_PROGRAM',
    /itself a view/,
    (d) => {
      d.tensors[4] = { ...d.tensors[4]!, view: { base: 3, offset: 0 } }
      d.tensors[3] = { ...d.tensors[3]!, view: { base: 0, offset: 0 } }
    },
  ],
  [
    'a view of another type',
    'SHAPE',
    /differs from its base in type/,
    (d) => (d.tensors[2] = { ...d.tensors[2]!, view: { base: 0, offset: 0 } }),
  ],
  [
    'an input that is a view',
    'BAD_PROGRAM',
    /cannot be a view/,
    (d) => (d.tensors[1] = { ...d.tensors[1]!, view: { base: 0, offset: 0 } }),
  ],
  [
    'an id that is not the place',
    'BAD_PROGRAM',
    /has the id 7 at place 0/,
    (d) => (d.tensors[0] = { ...d.tensors[0]!, id: 7 }),
  ],
  [
    'an empty extent',
    'SHAPE',
    /extents must be at least 1/,
    (d) => (d.tensors[0] = { ...d.tensors[0]!, shape: [0, 16] }),
  ],
  ['a tensor of 16 GB', 'SHAPE', /more than/, (d) => (d.tensors[0] = { ...d.tensors[0]!, shape: [65536, 65536] })],
  [
    'an operand of another size',
    'SHAPE',
    /full operand of 16 elements in 4×5/,
    (d) => (at<MapOperation>(d, 'sum').columns = 5),
  ],
  [
    'swapped columns of an odd number',
    'SHAPE',
    /swapped operand/,
    (d) =>
      Object.assign(at<MapOperation>(d, 'sum'), {
        rows: 16,
        columns: 1,
        operands: [
          { from: 'full', tensor: 0 },
          { from: 'swapped', tensor: 0 },
        ],
      }),
  ],
  [
    'a row operand that does not divide',
    'SHAPE',
    /row operand of 16 elements in 4×4/,
    (d) =>
      (at<MapOperation>(d, 'sum').operands = [
        { from: 'full', tensor: 0 },
        { from: 'row', tensor: 0 },
      ]),
  ],
  [
    'a row index modulo zero',
    'SHAPE',
    /row index modulo 0/,
    (d) =>
      Object.assign(at<MapOperation>(d, 'sum'), {
        scalar: indexSum,
        operands: [
          { from: 'full', tensor: 0 },
          { from: 'rowIndex', modulo: 0 },
        ],
      }),
  ],
  [
    'an operand of another type',
    'SHAPE',
    /takes \(f32, f32\), got \(f32, i32\)/,
    (d) =>
      (at<MapOperation>(d, 'sum').operands = [
        { from: 'full', tensor: 0 },
        { from: 'row', tensor: 2 },
      ]),
  ],
  [
    'a result of another size',
    'SHAPE',
    /outputs must be f32 of 16/,
    (d) => (d.tensors[3] = { ...d.tensors[3]!, shape: [3, 4] }),
  ],
  [
    'more outputs than the scalar program has',
    'BAD_PROGRAM',
    /2 outputs for the 1/,
    (d) => (at<MapOperation>(d, 'sum').outputs = [3, 4]),
  ],
  [
    'strides that leave the operand',
    'SHAPE',
    /second operand leaves its tensor/,
    (d) => (at<MatmulOperation>(d, 'mixed').b = { group: 0, subgroup: 0, row: 5, column: 1 }),
  ],
  [
    'a negative stride',
    'SHAPE',
    /first operand leaves/,
    (d) => (at<MatmulOperation>(d, 'mixed').a = { group: 0, subgroup: 0, row: -4, column: 1 }),
  ],
  [
    'a product that writes an element twice',
    'SHAPE',
    /reach each of its elements once/,
    (d) => (at<MatmulOperation>(d, 'mixed').c = { group: 0, subgroup: 0, row: 4, column: 0 }),
  ],
  ['a product over no terms', 'SHAPE', /products of 4×0/, (d) => (at<MatmulOperation>(d, 'mixed').K = 0)],
  ['an index of floats', 'SHAPE', /index must be i32/, (d) => (at<RowsOperation>(d, 'picked').inputs = [4, 0])],
  [
    'a table of another size',
    'SHAPE',
    /table must be f32 of 5×4/,
    (d) => (at<RowsOperation>(d, 'picked').tableRows = 5),
  ],
  [
    'windows larger than the image',
    'SHAPE',
    /windows .*"kernelHeight":9/,
    (d) => (at<WindowOperation>(d, 'cut').form = { ...at<WindowOperation>(d, 'cut').form, kernelHeight: 9 }),
  ],
  [
    'padding as wide as the window',
    'SHAPE',
    /windows .*"padding":2/,
    (d) => (at<WindowOperation>(d, 'cut').form = { ...at<WindowOperation>(d, 'cut').form, padding: 2 }),
  ],
  ['an unknown operation', 'BAD_PROGRAM', /no such operation/, (d) => Object.assign(at(d, 'cut'), { kind: 'fold' })],
  [
    'an unknown operand source',
    'BAD_PROGRAM',
    /no operand source toString/,
    (d) =>
      (at<MapOperation>(d, 'sum').operands = [
        { from: 'full', tensor: 0 },
        JSON.parse('{"from":"toString","tensor":0}'),
      ]),
  ],
  [
    'a scalar program that is not in order',
    'BAD_PROGRAM',
    /map sum: x f32.*scalar program add: has no output/,
    (d) => Object.assign(at<MapOperation>(d, 'sum').scalar, { outputs: [] }),
  ],
  ['a carry of another size', 'SHAPE', /carry norm: .*sizes and types/, (d) => (d.carries = [{ from: 7, to: 0 }])],
  [
    'a carry to a tensor that is no input',
    'BAD_PROGRAM',
    /goes to no input/,
    (d) => (d.carries = [{ from: 3, to: 4 }]),
  ],
  ['two carries to one input', 'BAD_PROGRAM', /already filled/, (d) => void d.carries.push({ from: 3, to: 0 })],
  ['a missing list', 'BAD_PROGRAM', /takes tensors, operations/, (d) => Object.assign(d, { carries: undefined })],
]

test('what the builder writes is in order [E-28]', () => {
  checkProgram(sound())
  for (const edged of [true, false]) {
    for (const item of operatorCases) checkProgram(writeCase(item, edged).program)
    for (const { program } of programCases(edged)) checkProgram(program)
  }
})

for (const [what, code, message, spoil] of faults) {
  test(`a program with ${what} is refused [E-28]`, () => {
    const draft = sound()
    spoil(draft)
    assert.throws(() => checkProgram(draft), { code, message })
  })
}

test('a fault names operator, label and shapes [E-28]', () => {
  const draft = sound()
  at<MapOperation>(draft, 'sum').columns = 5
  assert.throws(() => checkProgram(draft), {
    facts: { operator: 'map', label: 'sum', shapes: 'x f32[4, 4], x f32[4, 4], sum f32[4, 4]' },
  })
})

test('a tensor may be written in parts by its views, and read once all of it is there [E-28]', () => {
  const builder = new ProgramBuilder()
  const x = builder.input('x', [3])
  const whole = builder.tensor('whole', [6])
  const [low, high] = [builder.view('low', whole, 0, [3]), builder.view('high', whole, 3, [3])]
  builder.mapInto('high', addition, 1, 3, [full(x), full(x)], [high])
  const early = builder.finish()
  assert.throws(() => checkProgram({ ...early, outputs: { whole: whole.id } }), { code: 'BAD_PROGRAM' })
  builder.mapInto('low', addition, 1, 3, [full(x), full(x)], [low])
  builder.output('whole', whole)
  checkProgram(builder.finish())
})
