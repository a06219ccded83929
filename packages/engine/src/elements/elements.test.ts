import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, toHex } from '@potluck/protocol'
import { operatorCases, writeCase } from '../check/operatorCases.ts'
import { sampleValues } from '../check/sampleValues.ts'
import { trainingProgram } from '../model/languagePrograms.ts'
import { type Program, sizeOf } from '../program/Program.ts'
import { full, ProgramBuilder, row, swapped } from '../program/ProgramBuilder.ts'
import { referenceExecution } from '../reference/referenceExecution.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import { type ComputedRecord, recordKinds } from './ElementRecord.ts'
import { type InputSource, type TraceLayout, traceLayout } from './elementRecords.ts'
import { decodeRecord, encodeRecord } from './encodeRecord.ts'
import { evaluateElement } from './evaluateElement.ts'
import { floatOfWord, NAN_WORD, wordOfFloat } from './words.ts'

type Inputs = Readonly<Record<string, Float32Array | Int32Array>>
const ROOT = new Uint8Array(32)

const wordsOf = (values: Float32Array | Int32Array): Uint32Array =>
  values instanceof Int32Array ? Uint32Array.from(values, (x) => x >>> 0) : Uint32Array.from(values, wordOfFloat)

/** Layout with every input fixed, for programs without a state of their own. */
function layoutOf(program: Program): TraceLayout {
  const inputs = Object.fromEntries(
    Object.keys(program.inputs).map((name): [string, InputSource] => [name, { kind: 'fixed', root: ROOT }]),
  )
  return traceLayout(program, { parts: [1], inputs, result: 'state' })
}

/** Runs the reference and asserts that every element of every leaf follows from the leaves before it. */
function checkEveryElement(program: Program, inputs: Inputs, layout: TraceLayout, state: Uint32Array): number {
  const execution = referenceExecution(program)
  for (const [name, values] of Object.entries(inputs)) execution.write(name, values)
  execution.run()
  const byName = new Map(Object.entries(program.inputs).map(([name, id]) => [id, name]))
  const leaves = layout.tensors.map((id) => {
    if (id < 0) return state
    const name = byName.get(id)
    return wordsOf(name === undefined ? execution.readTensor(id) : inputs[name]!)
  })
  let checked = 0
  layout.records.forEach((record, leaf) => {
    assert.deepEqual(decodeRecord(encodeRecord(record)), record)
    if (record.kind !== 'element') return
    assert.equal(record.size, leaves[leaf]!.length)
    const read = (from: number, index: number): number => {
      assert.ok(from < leaf, `leaf ${leaf} reads leaf ${from}`)
      return leaves[from]![index]!
    }
    for (let e = 0; e < record.size; e++) {
      const seen = evaluateElement(record, e, read)
      if (seen !== leaves[leaf]![e]) assert.fail(`${layout.labels[leaf]}[${e}]: ${seen}, expected ${leaves[leaf]![e]}`)
      checked++
    }
  })
  return checked
}

for (const edged of [false, true]) {
  for (const item of operatorCases) {
    test(`[D-09] computes every element of ${item.name}${edged ? ' on edges of f32' : ''} and of its gradients from its record`, () => {
      const { program, inputs } = writeCase(item, edged)
      try {
        assert.ok(checkEveryElement(program, inputs, layoutOf(program), new Uint32Array(1)) > 0)
      } catch (error) {
        // Some cases meet NaN on the edges: then the reference stops and there is nothing to compare.
        if (!edged || codeOf(error) !== 'NAN') throw error
      }
    })
  }
}

test('[D-09] windows and their transpose, with stride and padding, follow from two axes with limits', () => {
  for (const [stride, padding] of [
    [1, 0],
    [1, 1],
    [2, 1],
    [3, 2],
  ] as const) {
    const form = { images: 2, height: 5, width: 4, channels: 3, kernelHeight: 3, kernelWidth: 3, stride, padding }
    const builder = new ProgramBuilder()
    const x = builder.input('x', [2, 5, 4, 3])
    const patches = builder.window('window', form, x)
    builder.output('y', builder.windowSum('windowSum', form, patches))
    const program = builder.finish()
    checkEveryElement(program, { x: sampleValues(sizeOf(x), 3) }, layoutOf(program), new Uint32Array(1))
  }
})

test('[D-09] a swapped operand is the neighbour in its pair, in maps and in sums', () => {
  const builder = new ProgramBuilder()
  const x = builder.input('x', [6, 4])
  const g = builder.input('g', [3])
  const s = new ScalarBuilder('turn')
  const scalar = s.finish(s.subtract(s.input(), s.multiply(s.input(), s.input())))
  const operands = [full(x), swapped(x), row(g)]
  builder.map('turn', scalar, 6, 4, operands, [6, 4])
  for (const kind of ['rowSum', 'rowMaximum', 'columnSum'] as const) builder.reduce(kind, kind, scalar, 6, 4, operands)
  const program = builder.finish()
  checkEveryElement(program, { x: sampleValues(24, 1), g: sampleValues(3, 2) }, layoutOf(program), new Uint32Array(1))
})

test('[D-08] [D-10] every element of a whole training step follows from its records, the state after from its segments', () => {
  const config = { vocabulary: 'abcde', context: 4, width: 4, layers: 1, heads: 2, hidden: 6 }
  const program = trainingProgram(config, 2, { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 })
  const P = sizeOf(program.tensors[program.inputs.parameters!]!)
  const parts = [P, P, P]
  const names = ['parameters', 'moment1', 'moment2'] as const
  const inputs: Record<string, Float32Array | Int32Array> = {
    parameters: sampleValues(P, 1, false),
    moment1: sampleValues(P, 2, false),
    moment2: sampleValues(P, 3, false).map(Math.abs),
    tokens: Int32Array.of(0, 1, 2, 3, 4, 0, 1, 1),
    targets: Int32Array.of(1, 2, 3, 4, 0, 1, 1, 2),
    weights: new Float32Array(8).fill(1 / 8),
    rates: Float32Array.of(0.01, 0.001, 1.2, 1.3),
  }
  const sources: Record<string, InputSource> = {}
  for (const name of Object.keys(inputs)) sources[name] = { kind: 'fixed', root: ROOT }
  names.forEach((name, part) => {
    sources[name] = { kind: 'state', part }
  })
  const layout = traceLayout(program, { parts, inputs: sources, result: 'state' })
  const after = layout.records.at(-1)!
  assert.ok(after.kind === 'after')
  const width = 256 << after.partDepth
  const state = new Uint32Array(3 * width)
  names.forEach((name, part) => {
    state.set(wordsOf(inputs[name]!), part * width)
  })
  assert.ok(checkEveryElement(program, inputs, layout, state) > 1000)
  const execution = referenceExecution(program)
  for (const [name, values] of Object.entries(inputs)) execution.write(name, values)
  execution.run()
  const next = new Uint32Array(3 * width)
  for (const { start, length, leaf, offset } of after.segments) {
    next.set(wordsOf(execution.readTensor(layout.tensors[leaf]!)).subarray(offset, offset + length), start)
  }
  names.forEach((name, part) => {
    assert.deepEqual(next.subarray(part * width, part * width + P), wordsOf(execution.read(name)))
  })
})

test('[D-05] arithmetic never stops: one NaN for every machine, and an index beyond the table reads 0', () => {
  const record = (operation: 'divide' | 'negate' | 'bits'): ComputedRecord => ({
    kind: 'element',
    size: 1,
    reduction: 'none',
    terms: 0,
    operands: [
      {
        source: 'tensor',
        leaf: 0,
        depth: 0,
        offset: 0,
        indirect: 0,
        indirectCoefficient: 0,
        indirectLimit: 0,
        axes: [],
      },
    ],
    instructions: [
      { operation: 'input', arguments: [], immediate: 0 },
      { operation: 'divide', arguments: [0, 0], immediate: 0 },
      { operation, arguments: [1, 1], immediate: 0 },
    ],
    output: 2,
  })
  for (const operation of ['divide', 'negate', 'bits'] as const) {
    assert.equal(
      evaluateElement(record(operation), 0, () => 0),
      NAN_WORD,
    )
  }
  const builder = new ProgramBuilder()
  const table = builder.input('table', [3, 2])
  builder.gatherRows('gather', table, builder.input('index', [2], 'i32'))
  const gather = layoutOf(builder.finish()).records[3]!
  assert.ok(gather.kind === 'element')
  const index = [1, -1 >>> 0]
  const read = (leaf: number, at: number): number => (leaf === 2 ? index[at]! : wordOfFloat(at + 1))
  assert.deepEqual(
    [0, 1, 2, 3].map((e) => floatOfWord(evaluateElement(gather, e, read))),
    [3, 4, 0, 0],
  )
})

test('refuses a program that reads what several operations wrote, by name', () => {
  const builder = new ProgramBuilder()
  const x = builder.input('x', [4])
  const base = builder.tensor('both', [8])
  const s = new ScalarBuilder('same')
  const same = s.finish(s.input())
  for (const offset of [0, 4])
    builder.mapInto(`half${offset}`, same, 1, 4, [full(x)], [builder.view(`view${offset}`, base, offset, [4])])
  builder.map('reader', same, 1, 8, [full(base)], [8])
  assert.throws(() => layoutOf(builder.finish()), /NOT_REFEREED|map reader reads both, which 2 operations wrote/)
})

test('refuses bytes that are no record: cut short, too long, of an unknown kind, with a count that lies', () => {
  const { program } = writeCase(operatorCases[0]!, false)
  const record = layoutOf(program).records.find(({ kind }) => kind === 'element')!
  const bytes = encodeRecord(record)
  for (const bad of [
    bytes.subarray(0, bytes.length - 4),
    Uint8Array.of(...bytes, 0, 0, 0, 0),
    Uint8Array.of(0, 0, 0, recordKinds.length),
    Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 1, 255, 255, 255, 255),
  ]) {
    assert.throws(
      () => decodeRecord(bad),
      (error) => codeOf(error) === 'BAD_RECORD',
      toHex(bad).slice(0, 40),
    )
  }
})
