import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createEngine, type LanguageRecipe, parameterCount, tensorRoot, trainLocally } from '@potluck/engine'
import { createThreadedWasmEngine } from './createThreadedWasmEngine.ts'
import { nodeTensorRoot } from './nodeTensorRoot.ts'

test('the tensor root by node:crypto is the one of the specification, whatever the length [D-01]', () => {
  for (const length of [0, 1, 255, 256, 257, 512, 1000, 1536, 5000]) {
    const values = Float32Array.from({ length }, (_, i) => (i * 7919) % 1013)
    const expected = tensorRoot(values)
    assert.deepEqual(nodeTensorRoot(new Uint8Array(values.buffer)), expected, `${length} elements`)
    const shared = new Uint8Array(new SharedArrayBuffer(4 * length))
    shared.set(new Uint8Array(values.buffer))
    assert.deepEqual(nodeTensorRoot(shared), expected)
  }
})

const recipe: LanguageRecipe = {
  config: { vocabulary: 'abcdefgh', context: 24, width: 32, layers: 2, heads: 2, hidden: 48 },
  batch: 4,
  steps: 3,
  learningRate: 0.01,
  weightDecay: 0.1,
  warmupSteps: 1,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  stateEverySteps: 1,
}

test('training on two threads of Node gives the state roots of one thread [E-02] [E-17]', async () => {
  const training = {
    recipe,
    base: Float32Array.from({ length: parameterCount(recipe.config) }, (_, i) => ((i * 37) % 101) / 1000 - 0.05),
    tokens: Uint8Array.from({ length: 400 }, (_, i) => (i * i) % 8),
    seed: new Uint8Array(32),
  }
  const threaded = await createThreadedWasmEngine({ threads: 2 })
  assert.equal(threaded.threads, 2)
  const seen = await trainLocally(threaded, training)
  await threaded.close()
  assert.deepEqual(seen, await trainLocally(await createEngine(), training))
})

test('threads that nobody closes do not hold the process', async () => {
  const file = JSON.stringify(new URL('./createThreadedWasmEngine.ts', import.meta.url))
  const script = `
    const { createThreadedWasmEngine } = await import(${file})
    const { ProgramBuilder, full, addition } = await import('@potluck/engine')
    const engine = await createThreadedWasmEngine({ threads: 2, leastShared: 0 })
    const builder = new ProgramBuilder()
    const x = builder.input('x', [900])
    builder.output('y', builder.map('y', addition, 1, 900, [full(x), full(x)], [900]))
    const execution = await engine.prepare(builder.finish())
    execution.write('x', new Float32Array(900).fill(21))
    execution.run()
    console.log(execution.read('y')[899])`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    timeout: 60_000,
  })
  assert.equal(stdout, '42\n')
})
