import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBoth } from '../../test/runBoth.ts'
import { linear } from '../operators/matmul.ts'
import { addition, scalar } from '../operators/scalar.ts'
import { Tape } from '../operators/Tape.ts'
import { referenceExecution } from '../reference/referenceExecution.ts'
import type { Real } from '../scalar/ScalarBuilder.ts'
import { compileProgram } from '../wasm/compileProgram.ts'
import { wasmExecution } from '../wasm/wasmExecution.ts'
import type { Program } from './Program.ts'
import { full, ProgramBuilder } from './ProgramBuilder.ts'
import { canonicalBytes, programRoot } from './programRoot.ts'

const quotient = scalar<[Real, Real]>('divide', 2, (s, [a, b]) => s.divide(a, b))

function division(): Program {
  const builder = new ProgramBuilder()
  const [a, b] = [builder.input('a', [7]), builder.input('b', [7])]
  builder.output('y', builder.map('ratio', quotient, 1, 7, [full(a), full(b)], [7]))
  return builder.finish()
}

test('NaN stops the operator that made it, with its name and the first index [E-05]', async () => {
  const program = division()
  for (const execution of [referenceExecution(program), await wasmExecution(await compileProgram(program))]) {
    execution.write('a', Float32Array.of(1, 1, 1, 1, 1, 0, 0))
    execution.write('b', Float32Array.of(1, 1, 0, 1, 1, 0, 0))
    assert.throws(() => execution.run(), { code: 'NAN', facts: { operator: 'map', label: 'ratio', index: 5 } })
  }
})

test('infinity is a value like any other [E-05]', async () => {
  const ones = new Float32Array(7).fill(1)
  const { y } = await runBoth(division(), { a: ones, b: Float32Array.of(1, 0, -0, 1, 1, 1, Number.POSITIVE_INFINITY) })
  assert.deepEqual([...y!], [1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, 1, 1, 0])
})

test('an input of the wrong length, type or with NaN is refused by name [E-05] [E-20]', async () => {
  const program = division()
  for (const execution of [referenceExecution(program), await wasmExecution(await compileProgram(program))]) {
    assert.throws(() => execution.write('a', new Float32Array(6)), { code: 'SHAPE', message: /input a takes f32\[7\]/ })
    assert.throws(() => execution.write('a', new Int32Array(7)), { code: 'SHAPE' })
    assert.throws(() => execution.write('y', new Float32Array(7)), { code: 'SHAPE' })
    assert.throws(() => execution.write('b', new Float32Array(7).fill(Number.NaN)), { code: 'NAN', message: /input b/ })
    assert.throws(() => execution.read('z'), { code: 'UNKNOWN_TENSOR', message: /a, b, y/ })
  }
})

test('an index outside the table is refused before anything is read [E-12]', async () => {
  const builder = new ProgramBuilder()
  const [table, index] = [builder.input('table', [4, 2]), builder.input('index', [3], 'i32')]
  builder.output('y', builder.gatherRows('look', table, index))
  const program = builder.finish()
  for (const execution of [referenceExecution(program), await wasmExecution(await compileProgram(program))]) {
    for (const bad of [4, -1, 1073741824]) {
      execution.write('index', Int32Array.of(0, bad, 9))
      assert.throws(() => execution.run(), {
        code: 'INDEX',
        facts: { operator: 'gatherRows', label: 'look', index: 1 },
      })
    }
  }
})

test('shapes that do not match are refused with operator, label and shapes [E-20]', () => {
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const [x, w] = [builder.input('x', [4, 3]), builder.input('w', [5, 2])]
  builder.within('layer7', () => {
    assert.throws(() => linear(tape, 'mlp.up', x, w), {
      code: 'SHAPE',
      message: /matmul layer7\.mlp\.up: x f32\[4, 3\], w f32\[5, 2\]/,
    })
  })
  assert.throws(() => builder.map('sum', addition, 1, 12, [full(x), full(w)], [12]), {
    code: 'SHAPE',
    message: /w f32\[5, 2\]/,
  })
  assert.throws(() => builder.map('sum', addition, 1, 12, [full(x)], [12]), { code: 'SHAPE', message: /add takes/ })
  assert.throws(() => builder.tensor('empty', [3, 0]), { code: 'SHAPE' })
  assert.throws(() => builder.view('part', x, 10, [3]), { code: 'SHAPE' })
})

test('the program root pins every bit of the program and nothing else [E-15]', () => {
  const build = (factor: number, label: string, name = 'x'): Program => {
    const builder = new ProgramBuilder()
    const x = builder.input(name, [8])
    const times = scalar<[Real]>('times', 1, (s, [value]) => s.multiply(value, s.constant(factor)))
    builder.output('y', builder.map(label, times, 1, 8, [full(x)], [8]))
    return builder.finish()
  }
  const root = programRoot(build(0.5, 'a'))
  assert.equal(programRoot(build(0.5, 'other label')), root)
  assert.notEqual(programRoot(build(0.25, 'a')), root)
  assert.notEqual(programRoot(build(0.5, 'a', 'z')), root)
  assert.notEqual(programRoot(build(0, 'a')), programRoot(build(-0, 'a')))
  assert.equal(new TextDecoder().decode(canonicalBytes(build(1, 'a')).subarray(0, 18)), 'potluck-program-1\n')
})

test('a carried tensor feeds the next run [E-15]', async () => {
  const builder = new ProgramBuilder()
  const total = builder.input('total', [3])
  const next = builder.map('next', addition, 1, 3, [full(total), full(total)], [3])
  builder.carry(next, total)
  const program = builder.finish()
  for (const execution of [referenceExecution(program), await wasmExecution(await compileProgram(program))]) {
    execution.write('total', Float32Array.of(1, 2, 3))
    execution.run()
    execution.run()
    assert.deepEqual([...execution.read('total')], [4, 8, 12])
  }
})
