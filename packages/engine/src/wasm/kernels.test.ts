import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSameBits, runBoth } from '../../test/runBoth.ts'
import { sampleValues } from '../check/sampleValues.ts'
import { linear } from '../operators/matmul.ts'
import { addition, product, scalar } from '../operators/scalar.ts'
import { Tape } from '../operators/Tape.ts'
import { sizeOf, type WindowForm } from '../program/Program.ts'
import { column, columnIndex, full, ProgramBuilder, row, rowIndex, swapped } from '../program/ProgramBuilder.ts'
import { referenceExecution } from '../reference/referenceExecution.ts'
import { type Real, ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import { compileProgram } from './compileProgram.ts'
import { wasmExecution } from './wasmExecution.ts'

const square = { images: 2, height: 5, width: 6, channels: 3, kernelHeight: 3, kernelWidth: 2, stride: 1, padding: 1 }
const forms: readonly (readonly [string, WindowForm])[] = [
  ['padded', square],
  ['with a stride that leaves a rest', { ...square, height: 7, stride: 2 }],
  ['one channel, no padding', { ...square, channels: 1, padding: 0 }],
  ['disjoint, as for pooling', { ...square, channels: 4, kernelHeight: 2, stride: 2, padding: 0 }],
  ['wider apart than the kernel', { ...square, kernelHeight: 1, kernelWidth: 1, stride: 3, padding: 0 }],
  ['larger than the image', { ...square, height: 2, width: 2, kernelHeight: 4, kernelWidth: 3, padding: 2 }],
]
for (const [name, form] of forms) {
  test(`windows ${name}: window and windowSum have equal bits on both executors [E-02]`, async () => {
    const builder = new ProgramBuilder()
    const x = builder.input('x', [form.images, form.height, form.width, form.channels])
    const patches = builder.window('patches', form, x)
    const values = builder.input('values', patches.shape)
    builder.output('patches', patches)
    builder.output('sum', builder.windowSum('sum', form, values))
    await runBoth(builder.finish(), {
      x: sampleValues(sizeOf(x), 1),
      values: sampleValues(sizeOf(values), 2),
    })
  })
}

test('a swapped operand takes the neighbour of its pair, in vectors and in the tail [E-02]', async () => {
  for (const columns of [2, 4, 6, 10, 16]) {
    const builder = new ProgramBuilder()
    const x = builder.input('x', [3, columns])
    const shape = [3, columns]
    builder.output('y', builder.map('y', product, 3, columns, [full(x), swapped(x)], shape))
    builder.output('down', builder.reduce('columnSum', 'down', product, 3, columns, [swapped(x), full(x)]))
    const along = scalar<[Real]>('same', 1, (_, [value]) => value)
    builder.output('along', builder.reduce('rowSum', 'along', along, 3, columns, [swapped(x)]))
    await runBoth(builder.finish(), { x: sampleValues(3 * columns, 3) })
  }
  const builder = new ProgramBuilder()
  const x = builder.input('x', [1, 2])
  builder.output('y', builder.map('y', product, 1, 2, [full(x), swapped(x)], [2]))
  const { y } = await runBoth(builder.finish(), { x: Float32Array.of(3, -5) })
  assert.deepEqual([...y!], [-15, -15])
})

test('products of every number of rows have equal bits: tiles of five, of four, single rows, streams [E-02] [E-10]', async () => {
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const inputs: Record<string, Float32Array> = {}
  const sized = (name: string, shape: number[]) => {
    const tensor = builder.input(name, shape)
    inputs[name] = sampleValues(sizeOf(tensor), Object.keys(inputs).length)
    return tensor
  }
  for (const N of [7, 8, 33, 50]) {
    const w = sized(`w${N}`, [11, N])
    const turned = sized(`turned${N}`, [N, 12])
    for (let M = 1; M <= 22; M++) {
      builder.output(`y${N}.${M}`, linear(tape, 'y', sized(`x${N}.${M}`, [M, 11]), w))
      // a with k apart, b with k side by side: both are copied, the one by rows of a tile, the other turned.
      const strides = { group: 0, subgroup: 0, row: 1, column: M }
      const b = { group: 0, subgroup: 0, row: 1, column: 12 }
      const form = { groups: 1, subgroups: 1, M, N, K: 12, a: strides, b, c: { ...strides, row: N, column: 1 } }
      builder.output(`t${N}.${M}`, builder.matmul('t', form, sized(`a${N}.${M}`, [12, M]), turned, [M, N]))
    }
  }
  await runBoth(builder.finish(), inputs)
})

test('infinities beside a narrow panel raise no NaN, and in it they count [E-05]', async () => {
  const builder = new ProgramBuilder()
  const [x, w] = [builder.input('x', [6, 2]), builder.input('w', [2, 3])]
  builder.output('y', linear(new Tape(builder), 'y', x, w))
  const { y } = await runBoth(builder.finish(), {
    x: new Float32Array(12).fill(Number.POSITIVE_INFINITY),
    w: new Float32Array(6).fill(1),
  })
  assert.deepEqual(new Set(y), new Set([Number.POSITIVE_INFINITY]))
})

test('wide and narrow maps, with indices and repeated rows, have equal bits [E-02]', async () => {
  for (const [rows, columns] of [
    [1, 70],
    [2, 131],
    [130, 3],
    [6, 64],
  ] as const) {
    const builder = new ProgramBuilder()
    const [x, g, r] = [builder.input('x', [rows, columns]), builder.input('g', [columns]), builder.input('r', [1])]
    const s = new ScalarBuilder('indices')
    const [a, b, c] = [s.input(), s.input(), s.input()]
    const place = s.integerAdd(s.shiftLeft(s.integerInput(), 9), s.integerInput())
    const mixed = s.finish(s.add(s.multiply(a, b), s.multiply(c, s.toFloat(place))))
    const operands = [full(x), column(g), row(r), rowIndex(Math.min(rows, 2)), columnIndex]
    builder.output('map', builder.map('map', mixed, rows, columns, operands, [rows, columns]))
    for (const kind of ['columnSum', 'rowSum', 'rowMaximum'] as const) {
      builder.output(kind, builder.reduce(kind, kind, mixed, rows, columns, operands))
    }
    await runBoth(builder.finish(), {
      x: sampleValues(rows * columns, 1),
      g: sampleValues(columns, 2),
      r: sampleValues(1, 3),
    })
  }
})

test('carried tensors read as the reference gives them, whichever way they are carried and written [E-15]', async () => {
  const builder = new ProgramBuilder()
  const [a, b, c] = [builder.input('a', [4]), builder.input('b', [4]), builder.input('c', [8])]
  const next = builder.map('next', addition, 1, 4, [full(a), full(b)], [4])
  const half = builder.view('half', c, 4, [4])
  builder.carry(next, a) // trades places
  builder.carry(half, b) // a view is copied
  builder.output('next', next)
  builder.output('tail', builder.view('tail', next, 2, [2]))
  const program = builder.finish()
  const executions = [referenceExecution(program), await wasmExecution(await compileProgram(program))]
  const names = ['a', 'b', 'c', 'next', 'tail']
  const check = (): void => {
    for (const name of names) {
      const [expected, seen] = executions.map((execution) => execution.read(name))
      assertSameBits(seen!, expected!, name)
    }
    const [expected, seen] = executions.map((execution) => execution.stateRoot(['a', 'next']))
    assert.equal(seen, expected)
  }
  for (const execution of executions) execution.write('c', Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8))
  for (const written of [['a', 'b'], [], ['b'], ['a'], [], [], ['a', 'a']]) {
    for (const [i, name] of written.entries()) {
      for (const execution of executions) execution.write(name, sampleValues(4, i + name.charCodeAt(0), false))
    }
    check()
    for (const execution of executions) execution.run()
    check()
  }
})
