import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, sha256, utf8 } from '@potluck/protocol'
import { aggregateReferenceWeighted } from './aggregateReferenceWeighted.ts'
import { wordStream } from './wordStream.ts'

const f32 = (...values: number[]): Float32Array => Float32Array.from(values)
const distance = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(a.reduce((sum, x, j) => sum + (x - b[j]!) * (x - b[j]!), 0))
const norm = (a: Float32Array): number => distance(a, new Float32Array(a.length))

/** Honest updates around a common direction, from a seed. */
function honestRound(seed: string, count = 7, size = 200) {
  const next = wordStream(sha256(utf8(seed)))
  const noise = (): number => Number(next() >> 40n) / 8388608 - 1
  const vector = (of: () => number): Float32Array => Float32Array.from({ length: size }, of)
  const direction = vector(noise)
  const near = (): Float32Array => direction.map((x) => x + 0.7 * noise())
  return { base: vector(noise), reference: near(), updates: Array.from({ length: count }, near) }
}

test('moves by the weighted mean of equalised updates, worked by hand [L-14]', () => {
  // Cosines to (2, 0): 1 and 0.6. Norms 4 and 5, lower median 4, reference 2: both are scaled to 2: (2, 0) and (1.2, 1.6).
  const round = { base: f32(10, 10), reference: f32(2, 0), updates: [f32(4, 0), f32(3, 4)] }
  const { next, weights, skipped } = aggregateReferenceWeighted(round)
  const w = Math.fround(0.6)
  assert.deepEqual(weights, f32(1, 0.6))
  assert.deepEqual(next, f32(10 - (2 + w * 1.2) / (1 + w), 10 - (w * 1.6) / (1 + w)))
  assert.equal(skipped, false)
})

test('scales to the median norm where that is the smaller one [L-14]', () => {
  const round = { base: f32(0), reference: f32(100), updates: [f32(1), f32(3), f32(80)] }
  assert.deepEqual(aggregateReferenceWeighted(round).next, f32(-3))
  // Of an even number, the lower of the middle two.
  assert.deepEqual(aggregateReferenceWeighted({ ...round, updates: [f32(1), f32(3)] }).next, f32(-1))
})

test('gives an opposed, an orthogonal and a zero update no weight and no say in the median [L-14]', () => {
  const round = {
    base: f32(0, 0),
    reference: f32(9, 0),
    updates: [f32(2, 0), f32(-1e30, 0), f32(0, 5), f32(0, 0), f32(-1, 0)],
  }
  const { next, weights } = aggregateReferenceWeighted(round)
  assert.deepEqual(weights, f32(1, 0, 0, 0, 0))
  assert.deepEqual(next, f32(-2, 0))
})

test('ignores updates that are not finite, to the bit [L-15]', () => {
  const { base, reference, updates } = honestRound('finite')
  const clean = aggregateReferenceWeighted({ base, reference, updates })
  for (const poison of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const bad = reference.slice()
    bad[17] = poison
    const attacked = aggregateReferenceWeighted({ base, reference, updates: [bad, ...updates] })
    assert.equal(attacked.weights[0], 0)
    assert.deepEqual(attacked.next, clean.next)
  }
})

test('bounds a huge update to the size of the others and ignores 40 % that push backwards [L-14]', () => {
  for (const seed of ['a', 'b', 'c', 'd', 'e']) {
    const { base, reference, updates } = honestRound(seed)
    const clean = aggregateReferenceWeighted({ base, reference, updates })
    const moved = distance(clean.next, base)
    const backwards = updates.slice(0, 4).map((update) => update.map((x) => -10 * x))
    const attacked = aggregateReferenceWeighted({ base, reference, updates: [...updates, ...backwards] })
    assert.deepEqual(attacked.next, clean.next)
    const huge = updates[0]!.map((x) => x * 1e30)
    const swollen = aggregateReferenceWeighted({ base, reference, updates: [...updates, huge] })
    assert.ok(distance(swollen.next, base) <= norm(reference) * 1.000001)
    assert.ok(distance(swollen.next, clean.next) < 0.35 * moved)
  }
})

test('permutes weights with the updates; the model stays within rounding, and is the same bits in sorted order [L-13]', () => {
  const { base, reference, updates } = honestRound('order')
  const first = aggregateReferenceWeighted({ base, reference, updates })
  const turned = aggregateReferenceWeighted({ base, reference, updates: [...updates].reverse() })
  assert.deepEqual([...turned.weights].reverse(), [...first.weights])
  assert.ok(turned.next.every((x, j) => Math.abs(x - first.next[j]!) <= 1.2e-7 * Math.max(1, Math.abs(x))))
  const inOrder = (list: readonly Float32Array[]): Float32Array[] => [...list].sort((a, b) => a[0]! - b[0]!)
  assert.deepEqual(
    aggregateReferenceWeighted({ base, reference, updates: inOrder([...updates].reverse()) }),
    aggregateReferenceWeighted({ base, reference, updates: inOrder(updates) }),
  )
})

test('pins the bits of one round [L-13]', () => {
  const { next } = aggregateReferenceWeighted(honestRound('bits'))
  const bytes = new Uint8Array(next.length * 4)
  const view = new DataView(bytes.buffer)
  next.forEach((x, j) => {
    view.setFloat32(4 * j, x, true)
  })
  assert.equal(
    Buffer.from(sha256(bytes)).toString('hex'),
    'a6fd474eed898ecbcd13238e6d098af87ec4f5d5cc4951ea97a61d7714650992',
  )
})

test('skips the round when no update points the way of the reference, or there is none [L-15]', () => {
  const base = f32(1, 2)
  for (const [reference, updates] of [
    [f32(1, 0), [f32(-1, 0), f32(0, 1)]],
    [f32(1, 0), []],
    [f32(0, 0), [f32(1, 1)]],
  ] as const) {
    const result = aggregateReferenceWeighted({ base, reference, updates })
    assert.equal(result.skipped, true)
    assert.deepEqual(result.next, base)
    assert.notEqual(result.next, base)
    assert.ok(result.weights.every((weight) => weight === 0))
  }
})

test('leaves its inputs as they were', () => {
  const round = honestRound('pure')
  const copy = structuredClone(round)
  aggregateReferenceWeighted(round)
  assert.deepEqual(round, copy)
})

test('refuses lengths that differ and a base, reference or result that is not finite [L-15]', () => {
  const base = f32(1, 2)
  const one = f32(1, 0)
  const refused = (round: Parameters<typeof aggregateReferenceWeighted>[0], code: string): void =>
    assert.throws(
      () => aggregateReferenceWeighted(round),
      (error) => codeOf(error) === code,
    )
  refused({ base, reference: one, updates: [f32(1)] }, 'BAD_UPDATE_LENGTH')
  refused({ base, reference: f32(1), updates: [one] }, 'BAD_UPDATE_LENGTH')
  refused({ base, reference: f32(1, Number.NaN), updates: [one] }, 'NOT_FINITE')
  refused({ base: f32(1, Number.NaN), reference: one, updates: [one] }, 'NOT_FINITE')
  const top = 3.4e38
  refused({ base: f32(-top, 0), reference: f32(top, 0), updates: [f32(top, 0)] }, 'NOT_FINITE')
})
