import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine } from '@potluck/engine'
import { aggregateProgram, aggregateStream, aggregateUpdates } from '@potluck/learning'
import { createNativeUpdateKernels, isNativeAvailable, nativeLevels } from '@potluck/runtime'
import { BestTimes } from './aggregateBestTimes.ts'
import { roundOf } from './aggregateOwn.ts'

const skip = isNativeAvailable() ? false : 'the native executor is not built on this machine'
const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.slice().buffer)

test('the stream in C has the bits of the exact program and of the stream in TypeScript [L-13] [L-14] [L-15]', {
  skip,
}, async () => {
  const engine = await createEngine()
  for (const [count, P] of [
    [1, 5],
    [9, 1003],
    [35, 8200],
    [20, 20_001],
  ] as const) {
    const { base, reference, updates } = roundOf(count, P)
    const given: (Float32Array | undefined)[] = [...updates]
    if (count > 5) {
      given[2] = undefined
      given[3] = updates[3]!.map((x) => -x)
      given[4] = updates[4]!.map((x, j) => (j === 7 ? Number.POSITIVE_INFINITY : x))
      given[5] = updates[5]!.map((x) => x * 1e6)
    }
    const round = { base, reference, updates: given }
    const exact = await aggregateUpdates(engine, aggregateProgram(P, count), round)
    const plain = await aggregateStream(() => given, base, reference)
    assert.deepEqual(bits(plain.next), bits(exact.next))
    for (const level of nativeLevels()) {
      for (const threads of [1, 2]) {
        const kernels = createNativeUpdateKernels({ level, threads })
        const got = await aggregateStream(() => given, base, reference, kernels)
        kernels.close()
        const what = `${count} of ${P}, ${level}, ${threads} threads`
        assert.deepEqual(bits(got.weights), bits(exact.weights), `weights, ${what}`)
        assert.deepEqual(bits(got.next), bits(exact.next), `model, ${what}`)
      }
    }
  }
})

test('best times are those of each call, over all rounds', () => {
  const times = new BestTimes()
  for (const round of [
    [3, 9],
    [5, 4],
  ]) {
    times.begin()
    for (const ms of round) times.note('pass', ms)
  }
  assert.equal(times.best('pass'), 7)
  assert.equal(times.last('pass'), 9)
  assert.equal(times.best('nothing'), 0)
})
