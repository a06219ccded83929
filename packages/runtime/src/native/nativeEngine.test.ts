import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createReferenceEngine,
  full,
  type Program,
  ProgramBuilder,
  product,
  row,
  stateRoot,
  tensorRoot,
} from '@potluck/engine'
import { sampleValues } from '../../test/sampleValues.ts'
import { createLocalEngine } from '../createLocalEngine.ts'
import { createNativeEngine, isNativeAvailable, nativeInfo } from './createNativeEngine.ts'
import { loadAddon } from './loadAddon.ts'

const skip = isNativeAvailable() ? false : 'the native executor is not built on this machine'

/** y = x·x as a map; overflow of two signs summed gives NaN where wanted. */
function squares(): Program {
  const builder = new ProgramBuilder()
  const x = builder.input('x', [2, 40])
  const y = builder.map('square', product, 2, 40, [full(x), full(x)], [2, 40])
  builder.output('y', y)
  builder.output(
    'sum',
    builder.reduce('columnSum', 'products', product, 2, 40, [full(y), row(builder.input('w', [2]))]),
  )
  return builder.finish()
}

test('NaN stops a run with kind, label and lowest index, and the next run works again [E-05]', { skip }, async () => {
  for (const engine of [createNativeEngine({ threads: 2 }), createReferenceEngine()]) {
    const execution = await engine.prepare(squares())
    const x = new Float32Array(80).fill(1)
    for (const i of [17, 33, 57, 73]) x[i] = 1e30
    execution.write('x', x)
    execution.write('w', Float32Array.of(1, -1))
    assert.throws(() => execution.run(), {
      code: 'NAN',
      facts: { operator: 'columnSum', label: 'products', index: 17 },
    })
    assert.throws(() => execution.write('x', new Float32Array(80).fill(Number.NaN)), { code: 'NAN' })
    assert.throws(() => execution.write('x', new Float32Array(79)), { code: 'SHAPE' })
    execution.write('x', new Float32Array(80).fill(3))
    execution.run()
    assert.deepEqual(execution.read('sum'), new Float32Array(40))
    await engine.close()
  }
})

test('an infinity times zero in a product that is padded is no NaN of the result [E-05] [E-10]', { skip }, async () => {
  const builder = new ProgramBuilder()
  const form = { group: 0, subgroup: 0, column: 1 }
  const matmul = {
    groups: 1,
    subgroups: 1,
    M: 5,
    N: 3,
    K: 2,
    a: { ...form, row: 2 },
    b: { ...form, row: 3 },
    c: { ...form, row: 3 },
  }
  const [a, b] = [builder.input('a', [5, 2]), builder.input('b', [2, 3])]
  builder.output('y', builder.matmul('y', matmul, a, b, [5, 3]))
  const engine = createNativeEngine()
  const execution = await engine.prepare(builder.finish())
  execution.write('a', new Float32Array(10).fill(Number.POSITIVE_INFINITY))
  execution.write('b', new Float32Array(6).fill(1))
  execution.run()
  assert.deepEqual(execution.read('y'), new Float32Array(15).fill(Number.POSITIVE_INFINITY))
  execution.write('b', Float32Array.of(1, 1, 1, 1, 0, 1))
  assert.throws(() => execution.run(), { code: 'NAN', facts: { operator: 'matmul', label: 'y', index: 1 } })
  await engine.close()
})

test('an index outside the table stops a run before anything is read or written [E-12]', { skip }, async () => {
  const builder = new ProgramBuilder()
  const [table, index] = [builder.input('table', [4, 3]), builder.input('index', [5], 'i32')]
  const gathered = builder.gatherRows('gather', table, index)
  builder.output('y', builder.scatterAddRows('scatter', gathered, index, 4))
  const engine = createNativeEngine({ threads: 3 })
  const execution = await engine.prepare(builder.finish())
  for (const bad of [-1, 4, 2 ** 30]) {
    execution.write('index', Int32Array.of(0, 1, 2, bad, 3))
    assert.throws(() => execution.run(), {
      code: 'INDEX',
      facts: { operator: 'gatherRows', label: 'gather', index: 3 },
    })
  }
  await engine.close()
})

/** A state that doubles, as a whole tensor, and a counter carried from a view. */
function carriedState(): Program {
  const builder = new ProgramBuilder()
  const [state, part] = [builder.input('state', [50]), builder.input('part', [8])]
  const next = builder.tensor('next', [50])
  const half = builder.view('half', next, 0, [20])
  const rest = builder.view('rest', next, 20, [30])
  builder.mapInto(
    'half',
    product,
    1,
    20,
    [full(builder.view('a', state, 0, [20])), full(builder.view('b', state, 20, [20]))],
    [half],
  )
  builder.mapInto(
    'rest',
    product,
    1,
    30,
    [full(builder.view('c', state, 20, [30])), row(builder.view('d', state, 1, [1]))],
    [rest],
  )
  builder.carry(next, state)
  builder.carry(builder.view('slice', next, 2, [8]), part)
  builder.output('next', next)
  builder.output('again', builder.map('again', product, 1, 8, [full(part), full(part)], [8]))
  return builder.finish()
}

test('carried tensors hold after every run and every write what they hold in the reference', { skip }, async () => {
  const program = carriedState()
  const engine = createNativeEngine({ threads: 2 })
  const executions = [await engine.prepare(program, { keepAll: true }), await createReferenceEngine().prepare(program)]
  const same = (): void => {
    const [seen, expected] = executions.map((execution) => program.tensors.map(({ id }) => execution.readTensor(id)))
    assert.deepEqual(seen, expected)
    const [root, other] = executions.map((execution) => execution.stateRoot(['state', 'next', 'part']))
    assert.equal(root, other)
  }
  same()
  for (let round = 0; round < 5; round++) {
    if (round !== 2) for (const execution of executions) execution.write('state', sampleValues(50, round, false))
    if (round > 0) same()
    for (const execution of executions) execution.run()
    same()
    if (round === 3) for (const execution of executions) execution.run()
  }
  await engine.close()
})

test('the state root is the one of the specification, at every size about a leaf [D-01] [D-02]', { skip }, async () => {
  const sizes = [1, 255, 256, 257, 511, 512, 513, 1300, 4096, 70_001]
  const builder = new ProgramBuilder()
  for (const size of sizes) builder.input(`of${size}`, [size])
  for (const threads of [1, 2, 3]) {
    const engine = createNativeEngine({ threads })
    const execution = await engine.prepare(builder.finish())
    const parts = sizes.map((size) => sampleValues(size, 7))
    for (const [i, size] of sizes.entries()) {
      execution.write(`of${size}`, parts[i]!)
      assert.equal(execution.stateRoot([`of${size}`]), stateRoot([parts[i]!]), `${size} elements`)
    }
    const names = sizes.map((size) => `of${size}`)
    assert.equal(execution.stateRoot(names), stateRoot(parts))
    await engine.close()
  }
})

test('the root is the same with the instructions of the processor and without [D-01]', { skip }, () => {
  const addon = loadAddon()
  const team = addon.createTeam(2)
  for (const bytes of [0, 4, 1020, 1024, 1028, 3000, 9216]) {
    const values = sampleValues(bytes / 4, 3)
    const buffer = new Uint8Array(values.buffer).slice().buffer
    for (const isPortable of [false, true]) {
      const root = new Uint8Array(32)
      addon.merkleRoot(team, buffer, 0, bytes, root, isPortable)
      assert.deepEqual(root, tensorRoot(values), `${bytes} bytes, ${isPortable ? 'portable' : addon.sha}`)
    }
  }
  addon.endTeam(team)
})

test('programs that reach outside their tensors, or need too much memory, are refused before they run [E-20] [E-28]', {
  skip,
}, async () => {
  const engine = createNativeEngine({ memoryLimitBytes: 2000 })
  const program = squares()
  const [first, second] = program.operations
  const wide = { ...program, operations: [{ ...first!, rows: 3 }, second!] } as Program
  await assert.rejects(engine.prepare(wide), { code: 'SHAPE' })
  const lost = { ...program, operations: [{ ...first!, outputs: [99] }, second!] } as Program
  await assert.rejects(engine.prepare(lost), { code: 'BAD_PROGRAM' })
  const builder = new ProgramBuilder()
  builder.input('x', [600])
  await assert.rejects(engine.prepare(builder.finish()), {
    code: 'OUT_OF_MEMORY',
    facts: { bytes: 2400, limitBytes: 2000 },
  })
  const execution = await engine.prepare(program)
  await engine.close()
  assert.throws(() => execution.run(), { code: 'CLOSED' })
})

test('a level or a number of threads that there is not is refused', { skip }, () => {
  assert.throws(() => createNativeEngine({ level: 'abacus' }), { code: 'BAD_OPTION' })
  for (const threads of [0, 1.5, 257]) assert.throws(() => createNativeEngine({ threads }), { code: 'BAD_OPTION' })
})

test('time is counted for each operation once a profile was asked for', { skip }, async () => {
  const engine = createNativeEngine()
  const execution = await engine.prepare(squares())
  execution.profile()
  execution.run()
  assert.equal(execution.profile().length, 2)
  assert.deepEqual(Object.keys(nativeInfo()), ['level', 'compiler', 'sha'])
  await engine.close()
})

test('the local engine is the one asked for, and native by itself where there is one', async () => {
  for (const executor of ['wasm', 'reference', 'auto'] as const) {
    const engine = await createLocalEngine({ executor })
    assert.equal(engine.executor, executor === 'auto' ? (skip ? 'wasm' : 'native') : executor)
    await engine.close()
  }
})
