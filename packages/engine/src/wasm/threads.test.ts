import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { engineVectors } from '../check/engineVectors.ts'
import { sampleValues } from '../check/sampleValues.ts'
import { createEngine, type Engine, type EngineOptions } from '../createEngine.ts'
import { linear } from '../operators/matmul.ts'
import { addition, product, scalar } from '../operators/scalar.ts'
import { Tape } from '../operators/Tape.ts'
import type { Program } from '../program/Program.ts'
import { full, ProgramBuilder } from '../program/ProgramBuilder.ts'
import type { Real } from '../scalar/ScalarBuilder.ts'
import type { EngineThread } from './ThreadTeam.ts'

const entry = `
  const { parentPort } = require('node:worker_threads')
  import(${JSON.stringify(new URL('./serveThread.ts', import.meta.url))}).then(({ serveThread }) => serveThread({
    onMessage: (listener) => parentPort.on('message', listener),
    post: (answer) => parentPort.postMessage(answer),
  }))`
const exits: Promise<unknown>[] = []

function spawn(): EngineThread {
  const worker = new Worker(entry, { eval: true })
  exits.push(new Promise((done) => worker.once('exit', done)))
  return {
    post: (message) => worker.postMessage(message),
    onAnswer: (listener) => void worker.on('message', listener),
    close: async () => void (await worker.terminate()),
  }
}

/** Shares even the smallest operation. */
const threaded = (threads: number, options: EngineOptions = {}): Promise<Engine> =>
  createEngine({ threads, spawn, leastShared: 0, ...options })

async function withEngine(threads: number, body: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = await threaded(threads)
  await body(engine).finally(() => engine.close())
}

const single = await engineVectors(await createEngine())
for (const threads of [2, 3]) {
  test(`${threads} threads give the bits of one: every operator, five steps of every model [E-02]`, () =>
    withEngine(threads, async (engine) => {
      assert.equal(engine.threads, threads)
      assert.deepEqual(await engineVectors(engine), single)
    }))
}

test('operations too small to share and shared ones mix, and two executions take turns [E-02]', async () => {
  const results = []
  for (const leastShared of [0, 500, Number.POSITIVE_INFINITY]) {
    const engine = await threaded(2, { leastShared })
    const executions = await Promise.all([engine.prepare(mixed()), engine.prepare(mixed())])
    const seen: Float32Array[] = []
    for (const [i, execution] of [...executions, ...executions].entries()) {
      for (const name of ['x', 'w']) execution.write(name, sampleValues(1600, i + name.charCodeAt(0), false))
      execution.run()
      seen.push(execution.read('y'))
    }
    await engine.close()
    results.push(seen)
  }
  assert.deepEqual(results[1], results[0])
  assert.deepEqual(results[2], results[0])
})

test('a NaN made by any thread names operator and first index as with one thread [E-05]', async () => {
  const placings = [[1599], [3, 1599], [900, 800], [0]]
  for (const [threads, leastShared] of [
    [1, 0],
    [2, 0],
    [3, 500],
  ] as const) {
    const engine = await threaded(threads, { leastShared })
    const execution = await engine.prepare(mixed())
    execution.write('w', sampleValues(1600, 2, false))
    for (const places of placings) {
      const values = new Float32Array(1600).fill(1)
      for (const place of places) values[place] = 0
      execution.write('x', values)
      const facts = { operator: 'map', label: 'ratio', index: Math.min(...places) }
      assert.throws(() => execution.run(), { code: 'NAN', facts })
    }
    execution.write('x', new Float32Array(1600).fill(2))
    execution.run()
    assert.equal(execution.read('y').length, 1600)
    await engine.close()
  }
})

test('a bad index stops all threads before anything is read, and an earlier NaN comes first [E-05] [E-12]', () =>
  withEngine(3, async (engine) => {
    const execution = await engine.prepare(lookUp())
    const ones = new Float32Array(20).fill(1)
    execution.write('a', ones)
    execution.write('table', ones)
    execution.write('index', Int32Array.of(0, 4, 2))
    const facts = { operator: 'gatherRows', label: 'look', index: 1 }
    assert.throws(() => execution.run(), { code: 'INDEX', facts })
    execution.write('a', new Float32Array(20))
    assert.throws(() => execution.run(), { code: 'NAN', facts: { operator: 'map', label: 'ratio', index: 0 } })
    execution.write('a', ones)
    execution.write('index', Int32Array.of(0, 3, 2))
    execution.run()
    assert.equal(execution.read('y').length, 15)
  }))

test('a program can be run while another is being prepared [E-02]', () =>
  withEngine(3, async (engine) => {
    const first = await engine.prepare(mixed())
    for (const name of ['x', 'w']) first.write(name, sampleValues(1600, name.charCodeAt(0), false))
    first.run()
    const expected = first.read('y')
    for (let i = 0; i < 20; i++) {
      const next = engine.prepare(mixed())
      for (let turn = 0; turn < 3; turn++) {
        first.run()
        await Promise.resolve()
      }
      assert.deepEqual(first.read('y'), expected)
      const second = await next
      for (const name of ['x', 'w']) second.write(name, sampleValues(1600, name.charCodeAt(0), false))
      second.run()
      assert.deepEqual(second.read('y'), expected)
    }
  }))

test('with keepAll every tensor can be read after a threaded run [E-02]', () =>
  withEngine(2, async (engine) => {
    const program = mixed()
    const executions = [
      await engine.prepare(program, { keepAll: true }),
      await (await createEngine()).prepare(program, { keepAll: true }),
    ]
    for (const execution of executions) {
      for (const name of ['x', 'w']) execution.write(name, sampleValues(1600, name.length + 1, false))
      execution.run()
    }
    const [seen, expected] = executions.map((execution) => program.tensors.map(({ id }) => execution.readTensor(id)))
    assert.deepEqual(seen, expected)
  }))

test('close ends every thread, and what was prepared refuses to run', async () => {
  const engine = await threaded(3)
  const execution = await engine.prepare(lookUp())
  await engine.close()
  await Promise.all(exits.slice(-2))
  assert.throws(() => execution.run(), { code: 'CLOSED' })
  await assert.rejects(engine.prepare(lookUp()), { code: 'CLOSED' })
})

test('threads without a way to start them, or none at all, are refused', async () => {
  for (const options of [{ threads: 2 }, { threads: 0, spawn }, { threads: 1.5, spawn }]) {
    await assert.rejects(createEngine(options), { code: 'BAD_OPTION' })
  }
})

/** A map, a product, a row sum and a sum of two, at sizes that are small and large for `leastShared` 500. */
function mixed(): Program {
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const [x, w] = [builder.input('x', [40, 40]), builder.input('w', [40, 40])]
  const ratio = builder.map('ratio', quotient, 1, 1600, [full(x), full(x)], [40, 40])
  const first = linear(tape, 'first', ratio, w)
  const sums = builder.reduce('rowSum', 'sums', product, 40, 40, [full(first), full(w)])
  const twice = builder.map('twice', addition, 1, 40, [full(sums), full(sums)], [40, 1])
  const narrow = builder.view('narrow', w, 0, [1, 40])
  builder.output('y', builder.map('y', addition, 1, 1600, [full(linear(tape, 'last', twice, narrow)), full(w)], [1600]))
  return builder.finish()
}

const quotient = scalar<[Real, Real]>('divide', 2, (s, [a, b]) => s.divide(a, b))

function lookUp(): Program {
  const builder = new ProgramBuilder()
  const [a, table, index] = [
    builder.input('a', [20]),
    builder.input('table', [4, 5]),
    builder.input('index', [3], 'i32'),
  ]
  builder.output('ratio', builder.map('ratio', quotient, 1, 20, [full(a), full(a)], [20]))
  builder.output('y', builder.gatherRows('look', table, index))
  return builder.finish()
}
