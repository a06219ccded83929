import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, createReferenceEngine } from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import { wordStream } from '../secureSum/wordStream.ts'
import { type AggregatedRound, aggregateProgram, aggregateUpdates } from './aggregateProgram.ts'

const f32 = (...values: number[]): Float32Array => Float32Array.from(values)
const distance = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(a.reduce((sum, x, j) => sum + (x - b[j]!) * (x - b[j]!), 0))
const norm = (a: Float32Array): number => distance(a, new Float32Array(a.length))
const round = Math.fround

const aggregate = async (given: AggregatedRound) =>
  aggregateUpdates(await createEngine(), aggregateProgram(given.base.length, given.updates.length), given)

/** Honest updates around a common direction, from a seed. */
function honestRound(seed: string, count = 7, size = 200) {
  const next = wordStream(sha256(utf8(seed)))
  const noise = (): number => Number(next() >> 40n) / 8388608 - 1
  const vector = (of: () => number): Float32Array => Float32Array.from({ length: size }, of)
  const direction = vector(noise)
  const near = (): Float32Array => direction.map((x) => x + 0.7 * noise())
  return { base: vector(noise), reference: near(), updates: Array.from({ length: count }, near) }
}

/** Eight strided partials and their tree (E-11). */
function strided(values: readonly number[]): number {
  const p = new Array<number>(8).fill(0)
  for (const [k, value] of values.entries()) p[k % 8] = round(p[k % 8]! + value)
  for (const apart of [4, 2, 1]) for (let i = 0; i < apart; i++) p[i] = round(p[i]! + p[i + apart]!)
  return p[0]!
}

/** The rule as it stands in L-13 to L-15, number by number. */
function byHand({ base, reference, updates }: AggregatedRound): { next: Float32Array; weights: Float32Array } {
  const inside = (x: number): number => (Math.abs(x) <= 1_048_576 ? x : 0)
  const rows = updates.map((update) => [...(update ?? new Float32Array(base.length))])
  const g = [...reference]
  const lengthOf = (row: readonly number[]): number =>
    round(Math.sqrt(strided(row.map((x) => round(inside(x) * inside(x))))))
  const norms = rows.map(lengthOf)
  const target = lengthOf(g)
  const weights = rows.map((row, i) => {
    const dot = strided(row.map((x, j) => round(inside(x) * inside(g[j]!))))
    const raised = round(round(dot / round(norms[i]! * target)) + 3 / 32)
    const isShort = norms[i]! < 1 / 1_099_511_627_776 || target < 1 / 1_099_511_627_776
    return raised > 0 && !isShort && row.every((x) => Math.abs(x) <= 1_048_576) ? raised : 0
  })
  const counted = norms.filter((_, i) => weights[i]! > 0).toSorted((a, b) => a - b)
  const median = counted[(counted.length - 1) >> 1] ?? 0
  const heard = strided(weights)
  const total = heard > 0 ? round(heard + round(heard / 4)) : 1
  const wanted = median < target ? median : target
  const factors = weights.map((weight, i) => (weight > 0 ? round(round(weight * wanted) / norms[i]!) : 0))
  const own = target < 1 / 1_099_511_627_776 ? 0 : round(round(round(heard / 4) * wanted) / target)
  const next = base.map((before, j) => {
    const moved = rows.reduce((sum, row, i) => round(sum + round(inside(row[j]!) * factors[i]!)), 0)
    return round(before - round(round(moved + round(inside(g[j]!) * own)) / total))
  })
  return { next, weights: f32(...weights) }
}

test('has the bits of the rule done by hand, on random rounds with gaps, twins, liars and giants [L-13] [L-14] [L-15]', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const { base, reference, updates } = honestRound(`by hand ${seed}`, 3 + seed, 70 + seed)
    const given: (Float32Array | undefined)[] = [...updates]
    given[1] = undefined
    if (seed % 3 === 1) given[2] = given[0]
    if (seed % 3 === 2) given[0] = updates[0]!.map((x) => -3 * x)
    if (seed % 4 === 3) given[2] = updates[2]!.map((x) => x * 1e30)
    const whole = { base, reference, updates: given }
    const expected = byHand(whole)
    for (const engine of [await createEngine(), createReferenceEngine()]) {
      const got = await aggregateUpdates(engine, aggregateProgram(base.length, given.length), whole)
      assert.deepEqual(got.weights, expected.weights, `weights of seed ${seed}`)
      assert.deepEqual(got.next, expected.next, `model of seed ${seed}`)
    }
  }
})

test('moves by the weighted mean of equalised updates and the reference, worked by hand [L-14]', async () => {
  // Cosines to (2, 0): 1 and 0.6. Norms 4 and 5, lower median 4, reference 2: all are scaled to 2: (2, 0), (1.2, 1.6) and (2, 0).
  // Weights 1.09375 and 0.69375, a quarter of their sum for the reference: (3.91375, 1.11) of 2.234375.
  const { next, weights } = await aggregate({
    base: f32(10, 10),
    reference: f32(2, 0),
    updates: [f32(4, 0), f32(3, 4)],
  })
  assert.ok(distance(weights, f32(1.09375, 0.69375)) < 1e-6)
  assert.ok(distance(next, f32(10 - 3.91375 / 2.234375, 10 - 1.11 / 2.234375)) < 2e-6)
})

test('scales to the median norm where that is the smaller one [L-14]', async () => {
  const given = { base: f32(0), reference: f32(100), updates: [f32(1), f32(3), f32(80)] }
  assert.deepEqual((await aggregate(given)).next, f32(-3))
  // Of an even number, the lower of the middle two.
  assert.deepEqual((await aggregate({ ...given, updates: [f32(1), f32(3)] })).next, f32(-1))
})

test('gives an opposed, an absent and a zero update no weight and no say in the median [L-14]', async () => {
  const updates = [f32(2, 0), f32(-1e5, 0), f32(-1, 5), f32(0, 0), f32(-1, 0), undefined]
  const { next, weights } = await aggregate({ base: f32(0, 0), reference: f32(9, 0), updates })
  assert.deepEqual(weights, f32(1.09375, 0, 0, 0, 0, 0))
  assert.deepEqual(next, f32(-2, 0))
})

test('hears an update that points a little away from the reference, the less the further it does [L-14]', async () => {
  const updates = [f32(0, 5), f32(-0.3, 5), f32(-0.6, 5)]
  const { weights } = await aggregate({ base: f32(0, 0), reference: f32(9, 0), updates })
  assert.equal(weights[0], 0.09375)
  assert.ok(weights[1]! > 0.03 && weights[1]! < 0.04)
  assert.equal(weights[2], 0)
})

test('ignores an update with a number that is infinite or beyond 2^20, to the bit [L-15]', async () => {
  const { base, reference, updates } = honestRound('finite')
  const clean = await aggregate({ base, reference, updates: [...updates, undefined] })
  for (const poison of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1_048_577, -3e38]) {
    const bad = reference.slice()
    bad[17] = poison
    const attacked = await aggregate({ base, reference, updates: [...updates, bad] })
    assert.equal(attacked.weights.at(-1), 0)
    assert.deepEqual(attacked.next, clean.next)
  }
})

test('bounds a large update to the size of the others and ignores 40 % that push backwards [L-14]', async () => {
  for (const seed of ['a', 'b', 'c']) {
    const { base, reference, updates } = honestRound(seed)
    const none = [undefined, undefined, undefined, undefined]
    const clean = await aggregate({ base, reference, updates: [...updates, ...none] })
    const moved = distance(clean.next, base)
    const backwards = updates.slice(0, 4).map((update) => update.map((x) => -10 * x))
    const attacked = await aggregate({ base, reference, updates: [...updates, ...backwards] })
    assert.deepEqual(attacked.next, clean.next)
    const large = updates[0]!.map((x) => x * 1e5)
    const swollen = await aggregate({ base, reference, updates: [...updates, large] })
    assert.ok(distance(swollen.next, base) <= norm(reference) * 1.000001)
    assert.ok(distance(swollen.next, clean.next) < 0.35 * moved)
  }
})

test('leaves the model as it is when every update points away from the reference, or there is none [L-15]', async () => {
  const base = f32(1, 2)
  for (const [reference, updates] of [
    [f32(1, 0), [f32(-1, 0), f32(-1, 1)]],
    [f32(1, 0), [undefined]],
    [f32(0, 0), [f32(1, 1)]],
    [f32(1e-20, 0), [f32(1e-20, 0)]],
  ] as const) {
    const { next, weights } = await aggregate({ base, reference, updates })
    assert.deepEqual(next, base)
    assert.ok(weights.every((weight) => weight === 0))
  }
})
