import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReferenceEngine } from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import { wordStream } from '../secureSum/wordStream.ts'
import { type AggregatedRound, aggregateProgram, aggregateUpdates } from './aggregateProgram.ts'
import { aggregateStream } from './streamAggregate.ts'
import { plainUpdateKernels, type UpdateKernels } from './streamAggregateKernels.ts'
import { wasmUpdateKernels } from './streamAggregateWasm.ts'

const f32 = (...values: number[]): Float32Array => Float32Array.from(values)
const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.slice().buffer)

function randomRound(seed: string, shares: number, P: number): AggregatedRound {
  const next = wordStream(sha256(utf8(seed)))
  const noise = (): number => Number(next() >> 40n) / 8388608 - 1
  const vector = (of: () => number): Float32Array => Float32Array.from({ length: P }, of)
  const direction = vector(noise)
  const near = (): Float32Array => direction.map((x) => x + 0.9 * noise())
  return { base: vector(noise), reference: near(), updates: Array.from({ length: shares }, near) }
}

const inGroupsOf = (together: number): UpdateKernels => ({ ...plainUpdateKernels, together })

async function hasSameBits(round: AggregatedRound, kernels: UpdateKernels | undefined, what: string): Promise<void> {
  const program = aggregateProgram(round.base.length, round.updates.length)
  const expected = await aggregateUpdates(createReferenceEngine(), program, round)
  const got = await aggregateStream(() => round.updates, round.base, round.reference, kernels)
  assert.deepEqual(bits(got.weights), bits(expected.weights), `weights, ${what}`)
  assert.deepEqual(bits(got.next), bits(expected.next), `model, ${what}`)
}

test('has the bits of the exact program on rounds with gaps, twins, liars and giants [L-13] [L-14] [L-15]', async () => {
  for (let seed = 0; seed < 16; seed++) {
    const shares = 1 + ((seed * 5) % 19)
    const { base, reference, updates } = randomRound(`stream ${seed}`, shares, 1 + 37 * seed)
    const given = [...updates]
    if (seed % 4 === 1) given[shares - 1] = undefined
    if (seed % 4 === 2) given[0] = updates[shares - 1]
    if (seed % 3 === 1) given[shares >> 1] = updates[shares >> 1]!.map((x) => -3 * x)
    if (seed % 4 === 3) given[0] = updates[0]!.map((x) => x * 1e30)
    if (seed % 5 === 4) given[shares - 1] = updates[shares - 1]!.map((x) => x * 1e-25)
    const round = { base, reference, updates: given }
    await hasSameBits(round, plainUpdateKernels, `seed ${seed}`)
    await hasSameBits(round, undefined, `seed ${seed} in WebAssembly`)
    for (const together of [2, 8, 100]) await hasSameBits(round, inGroupsOf(together), `seed ${seed} by ${together}`)
  }
})

test('has the bits of the exact program at the edges of what a number may be [L-15]', async () => {
  const [least, edge] = [1.4e-45, 1_048_576]
  const beyond = 1_048_576.125
  const update = f32(edge, -edge, least, -0, 0, edge, -least, 3, edge)
  for (const [i, odd] of [edge, beyond, -beyond, Number.POSITIVE_INFINITY, -3.4e38, -0, least].entries()) {
    const poisoned = update.slice()
    poisoned[4] = odd
    // More than 2^40 in squares without a number beyond 2^20 in it must not be taken for one that has.
    const updates = [poisoned, update, update.map((x) => x / 3)]
    await hasSameBits({ base: f32(1, 2, 3, 4, -0, 0, 5, 6, 7), reference: update, updates }, undefined, `update ${i}`)
    await hasSameBits({ base: new Float32Array(9), reference: poisoned, updates }, undefined, `reference ${i}`)
  }
  await hasSameBits({ base: f32(1), reference: f32(0), updates: [f32(1)] }, undefined, 'no reference')
  await hasSameBits({ base: f32(-0), reference: f32(1), updates: [f32(-1), undefined] }, undefined, 'nobody counts')
  await hasSameBits(
    { base: f32(Number.NEGATIVE_INFINITY), reference: f32(1), updates: [f32(1)] },
    undefined,
    'infinite',
  )
})

test('takes updates one by one from a source that makes them anew each time, and holds no more than a group of them', async () => {
  const round = randomRound('source', 11, 50)
  let [handed, most] = [0, 0]
  async function* source(): AsyncGenerator<Float32Array | undefined> {
    for (const update of round.updates) {
      handed++
      yield update?.slice()
    }
  }
  const counting: UpdateKernels = {
    together: 4,
    measure(group, ...rest) {
      most = Math.max(most, handed)
      handed = 0
      plainUpdateKernels.measure(group, ...rest)
    },
    add(group, ...rest) {
      most = Math.max(most, handed)
      handed = 0
      plainUpdateKernels.add(group, ...rest)
    },
  }
  const got = await aggregateStream(source, round.base, round.reference, counting)
  const expected = await aggregateStream(() => round.updates, round.base, round.reference)
  assert.deepEqual(got, expected)
  assert.equal(most, 4)
})

test('refuses another length, a NaN and a source that does not give the same twice', async () => {
  const [base, reference] = [f32(1, 2), f32(1, 1)]
  const from = (...updates: (Float32Array | undefined)[]) => aggregateStream(() => updates, base, reference)
  await assert.rejects(from(f32(1, 1), f32(1)), { code: 'SHAPE', message: /share 1 has 1 numbers, the base 2/ })
  await assert.rejects(
    aggregateStream(() => [], base, f32(1)),
    { code: 'SHAPE', message: /the reference has 1/ },
  )
  await assert.rejects(from(undefined, f32(1, Number.NaN)), { code: 'NAN', message: /share 1 holds NaN at element 1/ })
  await assert.rejects(
    aggregateStream(() => [], base, f32(1, Number.NaN)),
    { code: 'NAN', message: /the reference/ },
  )
  await assert.rejects(
    aggregateStream(() => [reference], f32(1, Number.NaN), reference),
    { code: 'NAN', message: /base/ },
  )
  let calls = 0
  const fickle = () => (calls++ === 0 ? [reference, reference] : [reference])
  await assert.rejects(aggregateStream(fickle, base, reference), {
    code: 'SHAPE',
    message: /gave 1 shares, the first 2/,
  })
})

test('passes in WebAssembly have the bits of the plain ones around the edges of a block [E-11] [E-12]', () => {
  const wasm = wasmUpdateKernels()
  assert.notEqual(wasm, plainUpdateKernels, 'this platform has WebAssembly')
  for (const P of [1, 7, 8, 9, 31, 8191, 8192, 8193, 8200, 20_003]) {
    const { base, reference, updates } = randomRound(`blocks ${P}`, 3, P)
    const group = updates.map((update) => update!)
    const factors = f32(0.5, -1 / 3, 1e-3)
    const [one, other] = [wasm, plainUpdateKernels].map((kernels) => {
      const [squares, dots, moved] = [new Float32Array(3), new Float32Array(3), base.slice()]
      kernels.measure(group, reference, squares, dots)
      kernels.add(group, factors, moved)
      return [bits(squares), bits(dots), bits(moved)]
    })
    assert.deepEqual(one, other, `${P} numbers`)
  }
})
