import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  column,
  columnIndex,
  createReferenceEngine,
  type Engine,
  full,
  type MatmulForm,
  type OperandOf,
  type Program,
  ProgramBuilder,
  product,
  type ReduceOperation,
  row,
  rowIndex,
  ScalarBuilder,
  type ScalarProgram,
  type Strides,
  scalarFunctions,
  sizeOf,
  swapped,
  type Tensor,
} from '@potluck/engine'
import { assertSameBits } from '../../test/assertSameBits.ts'
import { sampleValues } from '../../test/sampleValues.ts'
import { createNativeEngine, isNativeAvailable, type NativeEngine, nativeLevels } from './createNativeEngine.ts'

const skip = isNativeAvailable() ? false : 'the native executor is not built on this machine'
const engines: NativeEngine[] = skip
  ? []
  : nativeLevels().flatMap((level, i) =>
      (i === 0 ? [1, 2, 3] : [1, 3]).map((threads) => createNativeEngine({ level, threads })),
    )

/** Runs a program on every level and number of threads and holds every output against the reference, bit by bit. */
async function compare(program: Program, what: string): Promise<void> {
  const inputs = Object.entries(program.inputs).map(([name, id]) => {
    const tensor = program.tensors[id]!
    const values = sampleValues(sizeOf(tensor), id + 1, sizeOf(tensor) < 4000)
    return [name, tensor.type === 'f32' ? values : Int32Array.from(values, (x) => Math.floor(Math.abs(x)) % 5)] as const
  })
  const run = async (engine: Engine) => {
    const execution = await engine.prepare(program)
    for (const [name, values] of inputs) execution.write(name, values)
    execution.run()
    return Object.keys(program.outputs).map((name) => [name, execution.read(name)] as const)
  }
  const expected = await run(createReferenceEngine())
  for (const engine of engines) {
    for (const [i, [name, seen]] of (await run(engine)).entries()) {
      assertSameBits(seen, expected[i]![1], `${what}, ${engine.level}, ${engine.threads} threads: ${name}`)
    }
  }
}

const dense = (subgroups: number, rows: number, columns: number, isTurned: boolean): Strides => ({
  group: subgroups * rows * columns,
  subgroup: rows * columns,
  row: isTurned ? 1 : columns,
  column: isTurned ? rows : 1,
})

/** A head of attention: the subgroups lie side by side in one row. */
const sideBySide = (subgroups: number, rows: number, columns: number): Strides => ({
  group: rows * subgroups * columns,
  subgroup: columns,
  row: subgroups * columns,
  column: 1,
})

test('products of odd sizes and every layout have the bits of the reference [E-10]', { skip }, async () => {
  const sizes = [
    [1, 1, 1, 1, 1],
    [1, 1, 9, 50, 33],
    [1, 1, 1, 200, 37],
    [1, 1, 3, 1100, 6],
    [1, 1, 4, 17, 9],
    [2, 3, 7, 35, 5],
    [1, 2, 50, 64, 16],
    [1, 1, 201, 49, 400],
    [1, 1, 2, 3100, 3],
    [5, 1, 13, 65, 8],
  ] as const
  for (const [groups, subgroups, M, N, K] of sizes) {
    for (const turns of [0, 1, 2, 3, 4, 5, 6, 7]) {
      if (turns > 3 && groups * M * N * K > 1e6) continue
      const form: MatmulForm = {
        groups,
        subgroups,
        M,
        N,
        K,
        a: dense(subgroups, M, K, (turns & 1) > 0),
        b: dense(subgroups, K, N, (turns & 2) > 0),
        c: dense(subgroups, M, N, (turns & 4) > 0),
      }
      const builder = new ProgramBuilder()
      const [a, b] = [
        builder.input('a', [groups * subgroups * M * K]),
        builder.input('b', [groups * subgroups * K * N]),
      ]
      builder.output('y', builder.matmul('y', form, a, b, [groups * subgroups * M * N]))
      await compare(builder.finish(), `${groups}·${subgroups} products ${M}×${K}×${N}, turned ${turns}`)
    }
  }
})

test('products of interleaved groups have the bits of the reference, first and second operand and result [E-10]', {
  skip,
}, async () => {
  const [groups, subgroups, M, N, K] = [2, 3, 11, 10, 12]
  for (const which of [0, 1, 2]) {
    const pick = (i: number, rows: number, columns: number): Strides =>
      which === i ? sideBySide(subgroups, rows, columns) : dense(subgroups, rows, columns, false)
    const form = { groups, subgroups, M, N, K, a: pick(0, M, K), b: pick(1, K, N), c: pick(2, M, N) }
    const builder = new ProgramBuilder()
    const [a, b] = [builder.input('a', [6 * M * K]), builder.input('b', [6 * K * N])]
    builder.output('y', builder.matmul('y', form, a, b, [6 * M * N]))
    await compare(builder.finish(), `interleaved operand ${which}`)
  }
})

/** Uses every instruction and every source of operands, and two outputs of which one is a plain input. */
function everything(): ScalarProgram {
  const s = new ScalarBuilder('everything')
  const [x, y, r, one, c] = [s.input(), s.input(), s.input(), s.input(), s.input()]
  const [i, j, k] = [s.integerInput(), s.integerInput(), s.integerInput()]
  const bounded = s.multiply(s.constant(0.1), s.select(s.less(s.absolute(x), s.constant(50)), x, s.constant(3)))
  const mixed = s.integerSubtract(s.integerAdd(s.shiftLeft(i, 3), s.shiftRight(s.bits(x), 20)), k)
  const chosen = s.select(s.integerLessOrEqual(j, i), s.toFloat(mixed), s.negate(y))
  const equal = s.select(s.integerEqual(j, k), s.constant(2), s.select(s.equal(x, y), s.constant(-0), r))
  const root = s.sqrt(s.absolute(s.add(s.multiply(r, one), c)))
  const both = s.select(s.lessOrEqual(x, y), scalarFunctions.exp(s, bounded), scalarFunctions.tanh(s, bounded))
  const quotient = s.divide(s.subtract(both, s.multiply(root, one)), s.constant(7))
  const wave = scalarFunctions.log(s, s.add(s.absolute(bounded), s.constant(0.5)))
  const sum = s.subtract(s.multiply(wave, quotient), s.add(equal, s.multiply(one, c)))
  return s.finish(s.add(sum, s.multiply(chosen, s.constant(0.001))), x, s.constant(4), r)
}

test('maps over every source of operands have the bits of the reference, wide rows and narrow ones [E-04] [E-01]', {
  skip,
}, async () => {
  for (const [rows, columns] of [
    [1, 1],
    [6, 2],
    [3, 700],
    [40, 20],
    [9, 256],
    [70, 130],
    [1, 5000],
    [5000, 2],
  ] as const) {
    const builder = new ProgramBuilder()
    const fulls = columns % 2 === 0 ? swapped : full
    const operands: OperandOf[] = [
      full(builder.input('x', [rows, columns])),
      fulls(builder.input('y', [rows, columns])),
      row(builder.input('r', [rows])),
      row(builder.input('one', [1])),
      column(builder.input('c', [columns])),
      rowIndex(Math.max(1, rows - 1)),
      columnIndex,
      row(builder.input('k', [rows], 'i32')),
    ]
    const outputs = [0, 1, 2, 3].map((i) => builder.tensor(`y${i}`, [rows, columns]))
    builder.mapInto('map', everything(), rows, columns, operands, outputs)
    outputs.forEach((output, i) => {
      builder.output(`y${i}`, output)
    })
    await compare(builder.finish(), `map ${rows}×${columns}`)
  }
})

test('a map that may write over what it reads keeps its bits, outputs that are inputs among them [E-29]', {
  skip,
}, async () => {
  for (const size of [3, 64, 1500, 9000]) {
    const builder = new ProgramBuilder()
    const [x, z] = [builder.input('x', [size]), builder.input('z', [size])]
    const map = (name: string, a: Tensor, b: Tensor): Tensor =>
      builder.map(name, product, 1, size, [full(a), full(b)], [size])
    const [a, b] = [map('a', x, x), map('b', z, x)]
    const s = new ScalarBuilder('several')
    const [first, second] = [s.input(), s.input()]
    const times = s.multiply(first, s.constant(0.5))
    const again = s.fromBits(s.integerAdd(s.bits(second), s.integer(1)))
    const scalar = s.finish(s.subtract(times, second), first, s.fromBits(s.bits(second)), again)
    const outputs = [0, 1, 2, 3].map((i) => builder.tensor(`several${i}`, [size]))
    builder.mapInto('several', scalar, 1, size, [full(a), full(b)], outputs)
    outputs.forEach((output, i) => {
      builder.output(`y${i}`, map(`y${i}`, output, z))
    })
    await compare(builder.finish(), `${size} elements written over`)
  }
})

test('reductions of odd sizes have the bits of the reference [E-11] [E-12]', { skip }, async () => {
  const s = new ScalarBuilder('reduced')
  const [x, r, c] = [s.input(), s.input(), s.input()]
  const value = s.finish(s.add(s.multiply(x, r), c))
  const plain = new ScalarBuilder('identity')
  const identity = plain.finish(plain.input())
  const constant = new ScalarBuilder('row')
  const uniform = constant.finish(constant.input())
  for (const kind of ['columnSum', 'rowSum', 'rowMaximum'] satisfies ReduceOperation['kind'][]) {
    for (const [rows, columns] of [
      [1, 1],
      [1, 5003],
      [5003, 1],
      [37, 13],
      [5, 515],
      [64, 128],
      [130, 300],
      [3, 1030],
    ] as const) {
      const builder = new ProgramBuilder()
      const [a, b, d] = [builder.input('x', [rows, columns]), builder.input('r', [rows]), builder.input('c', [columns])]
      const reduce = (name: string, scalar: ScalarProgram, operands: OperandOf[]): void =>
        builder.output(name, builder.reduce(kind, name, scalar, rows, columns, operands))
      reduce('value', value, [full(a), row(b), column(d)])
      reduce('plain', identity, [full(a)])
      reduce('uniform', uniform, [row(b)])
      await compare(builder.finish(), `${kind} ${rows}×${columns}`)
    }
  }
})

test('gather and scatter have the bits of the reference [E-12]', { skip }, async () => {
  for (const columns of [1, 7, 40, 129]) {
    const builder = new ProgramBuilder()
    const [table, x, index] = [
      builder.input('table', [5, columns]),
      builder.input('x', [23, columns]),
      builder.input('index', [23], 'i32'),
    ]
    builder.output('gathered', builder.gatherRows('gather', table, index))
    builder.output('scattered', builder.scatterAddRows('scatter', x, index, 5))
    await compare(builder.finish(), `rows of ${columns}`)
  }
})

test('windows and their sums have the bits of the reference, at the edges of the image and inside', {
  skip,
}, async () => {
  // Height, width, channels, kernel height and width, stride, padding.
  for (const [height, width, channels, kernelHeight, kernelWidth, stride, padding] of [
    [7, 6, 3, 3, 2, 2, 1],
    [9, 12, 1, 3, 3, 1, 1],
    [8, 8, 5, 2, 2, 2, 0],
    [5, 11, 17, 5, 3, 1, 2],
    [3, 3, 2, 3, 3, 3, 2],
    [1, 1, 1, 1, 1, 1, 0],
    [11, 12, 1, 5, 5, 1, 0],
    [15, 16, 1, 7, 7, 2, 3],
    [13, 9, 1, 2, 5, 3, 1],
    [9, 10, 6, 5, 5, 1, 0],
    [7, 7, 7, 2, 2, 2, 0],
    [6, 8, 8, 3, 3, 1, 1],
    [5, 6, 12, 2, 3, 4, 1],
    [6, 5, 4, 1, 1, 2, 0],
  ] as const) {
    const form = { images: 2, height, width, channels, kernelHeight, kernelWidth, stride, padding }
    const builder = new ProgramBuilder()
    const patches = builder.window('window', form, builder.input('x', [2, height, width, channels]))
    builder.output('patches', patches)
    builder.output('sums', builder.windowSum('sums', form, patches))
    await compare(builder.finish(), `windows ${Object.values(form).join(' ')}`)
  }
})

test('the engines close', async () => {
  for (const engine of engines) await engine.close()
  const [first] = engines
  if (first) await assert.rejects(first.prepare(new ProgramBuilder().finish()), { code: 'CLOSED' })
})
