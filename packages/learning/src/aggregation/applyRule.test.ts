import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { codeOf, sha256, utf8 } from '@potluck/protocol'
import { applyRule } from './applyRule.ts'
import type { Aggregate, Rule, RuleInput } from './Rule.ts'

const f32 = (...values: number[]): Float32Array => Float32Array.from(values)
const seed = sha256(utf8('rules'))
const apply = (rule: Rule, updates: readonly Float32Array[], more: Partial<RuleInput> = {}): Aggregate =>
  applyRule(rule, { updates, sizes: updates.map(() => 1), seed, ...more })

const buckets = (size: number, rule: Rule): Rule =>
  Object.fromEntries([
    ['kind', 'bucketing'],
    ['size', size],
    ['then', rule],
  ]) as Rule
const mixed = (attackers: number, rule: Rule): Rule =>
  Object.fromEntries([
    ['kind', 'nearestNeighbours'],
    ['attackers', attackers],
    ['then', rule],
  ]) as Rule

/** Every rule, standing 3 liars. */
const rules: Rule[] = [
  { kind: 'mean' },
  { kind: 'weightedMean' },
  { kind: 'multiKrum', attackers: 3 },
  { kind: 'median' },
  { kind: 'trimmedMean', trim: 3 },
  { kind: 'geometricMedian' },
  { kind: 'centeredClipping' },
  { kind: 'normBound' },
  { kind: 'reference' },
  buckets(2, { kind: 'centeredClipping' }),
  mixed(3, { kind: 'trimmedMean', trim: 3 }),
]
const named = (rule: Rule): string => JSON.stringify(rule)

/** Members around a common direction. */
function honest(count: number, P: number, text: string): Float32Array[] {
  const of = (step: number): Float32Array => {
    const stream = new RandomStream(sha256(utf8(text)), 29, step)
    return Float32Array.from({ length: P }, (_, j) => stream.normal(j))
  }
  const direction = of(0)
  return Array.from({ length: count }, (_, i) => of(i + 1).map((x, j) => Math.fround(0.7 * x) + direction[j]!))
}

const distance = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(a.reduce((sum, x, j) => sum + (x - b[j]!) * (x - b[j]!), 0))

test('averages with one say each, or by rows, worked by hand [L-31]', () => {
  const updates = [f32(1, 2), f32(3, 6)]
  assert.deepEqual(apply({ kind: 'mean' }, updates), { update: f32(2, 4), weights: f32(0.5, 0.5) })
  const weighted = apply({ kind: 'weightedMean' }, updates, { sizes: [1, 3] })
  assert.deepEqual(weighted, { update: f32(2.5, 5), weights: f32(0.25, 0.75) })
  const nobody = apply({ kind: 'weightedMean' }, updates, { sizes: [0, 0] })
  assert.deepEqual(nobody, { update: f32(0, 0), weights: f32(0, 0) })
})

test('shortens what is longer than the bound, or than the lower median length, and averages [L-31]', () => {
  const updates = [f32(3, 4), f32(6, 8), f32(0.5, 0)]
  // Lengths 5, 10 and 0.5; the median is 5.
  assert.deepEqual(apply({ kind: 'normBound' }, updates).update, f32(6.5 / 3, 8 / 3))
  assert.deepEqual(apply({ kind: 'normBound', bound: 1 }, [f32(3, 4), f32(-6, 8)]).update, f32(0, 0.8))
})

test('leaves out an update with a number beyond 2^20 or none at all, as if it had not come [L-30]', () => {
  const updates = honest(9, 40, 'unsound')
  for (const rule of rules) {
    // One fewer is expected to lie when one was caught.
    const clean = named(rule).includes('"attackers":3') || named(rule).includes('"trim":3')
    const fewer = JSON.parse(named(rule).replaceAll(':3', ':2')) as Rule
    const expected = apply(clean ? fewer : rule, updates, { reference: updates[0] })
    for (const poison of [Number.NaN, Number.POSITIVE_INFINITY, 1_048_577, -3e38]) {
      const bad = updates[1]!.slice()
      bad[17] = poison
      const attacked = apply(rule, [...updates, bad], { reference: updates[0] })
      assert.deepEqual(attacked.update, expected.update, named(rule))
      assert.equal(attacked.weights[9], 0)
      const all = apply(rule, [bad, bad], { reference: updates[0] })
      assert.deepEqual(all, { update: new Float32Array(40), weights: f32(0, 0) }, named(rule))
    }
  }
})

test('gives weights that are never negative and add up to 1, with the part that a reference has of its own [L-30] [L-14]', () => {
  const updates = honest(11, 30, 'weights')
  for (const rule of rules) {
    const { weights } = apply(rule, updates, { reference: updates[4] })
    assert.ok(weights.every((weight) => weight >= 0))
    const own = rule.kind === 'reference' ? 0.2 : 0
    assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, own) - 1) < 1e-6, named(rule))
  }
})

test('does not care who comes first [L-30]', () => {
  const updates = honest(11, 90, 'order')
  for (const rule of rules.filter(({ kind }) => kind !== 'bucketing')) {
    const forwards = apply(rule, updates, { reference: updates[2] })
    const backwards = apply(rule, updates.toReversed(), { reference: updates[2] })
    assert.ok(distance(forwards.update, backwards.update) < 1e-5, named(rule))
    assert.ok(distance(forwards.weights, backwards.weights.toReversed()) < 1e-5, named(rule))
  }
})

test('scales with its input, to the bit when by a power of two [L-30]', () => {
  const updates = honest(11, 50, 'scale')
  const quarter = (vector: Float32Array): Float32Array => vector.map((x) => x / 4)
  for (const rule of rules) {
    const whole = apply(rule, updates, { reference: updates[2], previous: updates[1] })
    const scaled = apply(rule, updates.map(quarter), {
      reference: quarter(updates[2]!),
      previous: quarter(updates[1]!),
    })
    assert.deepEqual(scaled.update, quarter(whole.update), named(rule))
    assert.deepEqual(scaled.weights, whole.weights, named(rule))
  }
})

test('moves with its input, where the rule looks at differences only [L-30]', () => {
  const updates = honest(11, 50, 'shift')
  const shifted = (vector: Float32Array): Float32Array => vector.map((x, j) => x + ((j % 7) - 3))
  for (const rule of rules.filter(
    ({ kind }) => !['normBound', 'reference', 'bucketing', 'centeredClipping'].includes(kind),
  )) {
    const moved = apply(rule, updates.map(shifted)).update
    // Sixteen iterations come close to the geometric median, and not to the bit.
    const tolerance = rule.kind === 'geometricMedian' ? 1e-2 : 1e-4
    assert.ok(distance(moved, shifted(apply(rule, updates).update)) < tolerance, named(rule))
  }
})

test('is not moved far by 3 of 11 members, whatever they send; a mean is [L-30]', () => {
  const good = honest(8, 60, 'breakdown')
  const clean = apply({ kind: 'mean' }, good).update
  const spread = Math.max(...good.map((update) => distance(update, clean)))
  for (const [factor, direction] of [
    [-1e4, clean],
    [1e5, good[3]!],
    [3e4, honest(1, 60, 'elsewhere')[0]!],
  ] as const) {
    const liar = direction.map((x) => x * factor)
    const updates = [liar, ...good, liar, liar]
    for (const rule of rules) {
      const off = distance(apply(rule, updates, { reference: good[0] }).update, clean)
      if (rule.kind === 'mean' || rule.kind === 'weightedMean') assert.ok(off > 100 * spread)
      else assert.ok(off < 3 * spread, `${named(rule)}: ${off} of ${spread}`)
    }
  }
})

test('refuses lengths that disagree, no update, no reference [L-30]', () => {
  const refuses = (code: string, run: () => unknown): void => assert.throws(run, (error) => codeOf(error) === code)
  refuses('SHAPE', () => apply({ kind: 'mean' }, []))
  refuses('SHAPE', () => apply({ kind: 'mean' }, [f32(1), f32(1, 2)]))
  refuses('SHAPE', () => apply({ kind: 'mean' }, [f32(1)], { sizes: [1, 2] }))
  refuses('SHAPE', () => apply({ kind: 'mean' }, [f32(1)], { sizes: [-1] }))
  refuses('SHAPE', () => apply({ kind: 'reference' }, [f32(1)], { reference: f32(1, 2) }))
  refuses('NO_REFERENCE', () => apply({ kind: 'reference' }, [f32(1)]))
})
