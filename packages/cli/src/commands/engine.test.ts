import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, createReferenceEngine } from '@potluck/engine'
import { compareVectors, judgeEngine } from '@potluck/runtime'
import { threadCounts } from '../training/openEngine.ts'
import { engineCheck, printedVerdict } from './engineCheck.ts'
import { featuresIn } from './engineInfo.ts'
import { bestSeconds, matmulSpeed } from './engineSpeed.ts'

test('differences are named by their path, and what only one side has is one', () => {
  const golden = { operators: { add: '0x1', exp: '0x2' }, losses: [1, 2], gone: 3 }
  assert.deepEqual(compareVectors(golden, golden), [])
  assert.deepEqual(compareVectors(golden, { operators: { add: '0x1', exp: '0x9', more: 1 }, losses: [1, 2.5] }), [
    { path: 'operators.exp', expected: '"0x2"', seen: '"0x9"' },
    { path: 'operators.more', expected: 'nothing', seen: '1' },
    { path: 'losses[1]', expected: '2', seen: '2.5' },
    { path: 'gone', expected: '3', seen: 'nothing' },
  ])
  assert.equal(compareVectors({ a: [1] }, { a: 1 }).length, 1)
  assert.equal(compareVectors(null, {}).length, 1)
})

test('a machine that differs must not take exact jobs, and the operator is named', async () => {
  const golden = { operators: { add: 'a', matmul: 'b' } }
  const engine = createReferenceEngine()
  const good = await judgeEngine(engine, golden, async () => golden)
  const wrong = await judgeEngine(engine, golden, async () => ({ operators: { add: 'a', matmul: 'c' } }))
  const broken = await judgeEngine(engine, golden, () => Promise.reject(new Error('no such instruction')))
  assert.equal(printedVerdict([good, good]).failed, false)
  const { value, lines, failed } = printedVerdict([good, wrong, broken])
  assert.equal(failed, true)
  assert.equal((value as { exact: boolean }).exact, false)
  assert.match(lines.join('\n'), /reference, 1 thread: 2 values, all as they must be/)
  assert.match(lines.join('\n'), /operators\.matmul: expected "b", got "c"/)
  assert.match(lines.join('\n'), /stopped: no such instruction/)
  assert.match(lines.join('\n'), /must not take exact jobs/)
})

test('the best of several runs counts, at least three of them', () => {
  const costsMs = [50, 9, 7, 8, 400]
  let now = 0
  let runs = 0
  const work = (): void => {
    now += costsMs[runs++] ?? 10
  }
  assert.equal(
    bestSeconds(work, () => now, 20),
    0.007,
  )
  assert.equal(runs, 4)
})

test('a matrix product has a speed on every engine', async () => {
  for (const engine of [await createEngine(), createReferenceEngine()]) {
    let now = 0
    const clock = (): number => (now += 1)
    // 2·8·8·8 operations in the millisecond that this clock says a run takes.
    assert.equal(await matmulSpeed(engine, [8, 8, 8], clock, 1), (2 * 512) / 1e-3 / 1e9)
  }
})

test('features are read from what Linux says of x86 and of ARM processors', () => {
  assert.deepEqual(featuresIn('model name\t: x\nflags\t\t: fpu avx avx2 fma avx512f sha_ni\n'), [
    'avx',
    'avx2',
    'fma',
    'avx512f',
    'sha_ni',
  ])
  assert.deepEqual(featuresIn('Features\t: fp asimd sha2\n'), ['asimd', 'sha2'])
  assert.deepEqual(featuresIn(''), [])
  assert.deepEqual([1, 2, 8].map(threadCounts), [[1], [1, 2], [1, 8]])
})

test('this machine computes what everybody computes, on every executor and number of threads [E-02]', async () => {
  const { value, lines, failed } = await engineCheck()
  assert.equal(failed, false, lines.join('\n'))
  const { executors } = value as { executors: { executor: string }[] }
  for (const name of ['wasm', 'reference']) assert.ok(executors.some(({ executor }) => executor === name))
})
