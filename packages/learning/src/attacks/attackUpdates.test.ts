import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { codeOf, sha256, utf8 } from '@potluck/protocol'
import { applyRule } from '../aggregation/applyRule.ts'
import type { Rule } from '../aggregation/Rule.ts'
import type { Attack } from './Attack.ts'
import type { AttackerView } from './AttackerView.ts'
import { alieDeviations, normalBelow } from './alieDeviations.ts'
import { attackSuite } from './attackSuite.ts'
import { attackNames, attackText, parseAttack } from './attackText.ts'
import { attackUpdates } from './attackUpdates.ts'
import { lengthOf } from './honestStatistics.ts'

const f32 = (...values: number[]): Float32Array => Float32Array.from(values)
const seed = sha256(utf8('attacks'))
const small: AttackerView = {
  honest: [f32(1, 0), f32(3, 4)],
  own: [f32(2, 1), f32(2, 2)],
  rule: { kind: 'mean' },
  round: 3,
  seed,
}
const backdoor = { target: 1, trigger: { at: [0], value: 1 } }

test('says what each attack sends, worked by hand [L-38]', () => {
  const sends = (attack: Attack, ...expected: Float32Array[]): void =>
    assert.deepEqual(attackUpdates(attack, small), expected, attack.kind)
  sends({ kind: 'none' }, f32(2, 1), f32(2, 2))
  sends({ kind: 'labelFlip' }, f32(2, 1), f32(2, 2))
  sends({ kind: 'signFlip' }, f32(-20, -10), f32(-20, -20))
  sends({ kind: 'signFlip', scale: 0.5 }, f32(-1, -0.5), f32(-1, -1))
  // Four members, two of them attackers: twice as long takes the place of a mean.
  sends({ kind: 'backdoor', ...backdoor }, f32(4, 2), f32(4, 4))
  // Mean (2, 2), deviation (1, 2).
  sends({ kind: 'alie', z: 1.5 }, f32(0.5, -1), f32(0.5, -1))
  sends({ kind: 'ipm' }, f32(-4, -4), f32(-4, -4))
  sends({ kind: 'ipm', epsilon: 0.25 }, f32(-0.5, -0.5), f32(-0.5, -0.5))
  sends({ kind: 'mimic' }, f32(1, 0), f32(1, 0))
  sends({ kind: 'mimic', target: 3 }, f32(3, 4), f32(3, 4))
  sends({ kind: 'copy' }, f32(1, 0), f32(3, 4))
  sends({ kind: 'freeRider' }, f32(0, 0), f32(0, 0))
  sends({ kind: 'freeRider', sends: 'replay' }, f32(0, 0), f32(0, 0))
  const replayed = attackUpdates({ kind: 'freeRider', sends: 'replay' }, { ...small, previous: f32(7, 8) })
  assert.deepEqual(replayed, [f32(7, 8), f32(7, 8)])
})

test('makes noise as long as honest updates, its own for each attacker and round, the same again from a seed [L-38]', () => {
  const noisy = (attack: Attack, round: number): Float32Array[] => attackUpdates(attack, { ...small, round })
  const [a, b] = noisy({ kind: 'noise' }, 3)
  // Lengths 1 and 5.
  assert.ok(Math.abs(lengthOf(a!) - 3) < 1e-5)
  assert.notDeepEqual(a, b)
  assert.notDeepEqual(noisy({ kind: 'noise' }, 4)[0], a)
  assert.deepEqual(noisy({ kind: 'noise' }, 3), [a, b])
  assert.ok(Math.abs(lengthOf(noisy({ kind: 'noise', scale: 5 }, 3)[1]!) - 15) < 1e-4)
  assert.ok(Math.abs(lengthOf(noisy({ kind: 'freeRider', sends: 'noise' }, 3)[0]!) - 0.003) < 1e-6)
})

test('lies by as many deviations as ALIE derives from the numbers of members [L-38]', () => {
  // Tables of the normal distribution: Φ(1) = 0.841345, Φ(1.96) = 0.975002, Φ(3) = 0.998650.
  for (const [z, below] of [
    [0, 0.5],
    [1, 0.8413447461],
    [1.96, 0.9750021049],
    [3, 0.998650102],
  ] as const) {
    assert.ok(Math.abs(normalBelow(z) - below) < 1e-8, `${z}`)
  }
  // Of 20 with 8 attackers 3 supporters are needed: Φ⁻¹(9 / 12) = 0.6745. Of 50 with 24, 2: Φ⁻¹(24 / 26) = 1.4261.
  assert.ok(Math.abs(alieDeviations(20, 8) - 0.67449) < 1e-4)
  assert.ok(Math.abs(alieDeviations(50, 24) - 1.42608) < 1e-4)
  assert.equal(alieDeviations(20, 1), 0)
  assert.ok(alieDeviations(20, 12) <= 8)
})

/** Honest members around one direction, and a guess of the reference that shares it. */
function round(members: number, liars: number, rule: Rule): AttackerView & { guess: Float32Array } {
  const P = 60
  const of = (step: number): Float32Array => {
    const stream = new RandomStream(sha256(utf8('round')), 39, step)
    return Float32Array.from({ length: P }, (_, j) => stream.normal(j))
  }
  const direction = of(0)
  const near = (step: number): Float32Array => of(step).map((x, j) => 0.6 * x + 0.5 * direction[j]!)
  const updates = Array.from({ length: members }, (_, i) => near(i + 2))
  return { honest: updates.slice(liars), own: updates.slice(0, liars), guess: near(1), rule, round: 1, seed }
}

/** How far along the honest mean the aggregate goes: 1 without attack. */
function progress(attack: Attack, view: AttackerView & { guess: Float32Array }): number {
  const lies = attackUpdates(attack, view)
  const updates = [...view.honest, ...lies]
  const sizes = updates.map(() => 1)
  const { update } = applyRule(view.rule, { updates, sizes, reference: view.guess, seed })
  const mean = update.map((_, j) => view.honest.reduce((sum, row) => sum + row[j]! / view.honest.length, 0))
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, j) => sum + x * b[j]!, 0)
  return dot(update, mean) / dot(mean, mean)
}

test('searches an update that does this rule at least the harm of every attack it starts from, and more [L-38]', () => {
  const rules: Rule[] = [
    { kind: 'reference' },
    { kind: 'median' },
    { kind: 'trimmedMean', trim: 4 },
    { kind: 'multiKrum', attackers: 4 },
    { kind: 'geometricMedian' },
    { kind: 'centeredClipping' },
    { kind: 'normBound' },
  ]
  let better = 0
  for (const rule of rules) {
    const view = round(12, 4, rule)
    const adaptive = progress({ kind: 'adaptive' }, view)
    const known = [{ kind: 'ipm' }, { kind: 'ipm', epsilon: 0.5 }, { kind: 'alie', z: 1.5 }] as const
    for (const attack of known) assert.ok(adaptive <= progress(attack, view) + 1e-4, `${rule.kind} ${attack.kind}`)
    if (adaptive < Math.min(...known.map((attack) => progress(attack, view))) - 0.01) better++
  }
  assert.ok(better >= 4, `${better}`)
})

test('finds more with more evaluations, and what raises a loss where it is given one [L-38]', () => {
  const view = round(12, 4, { kind: 'reference' })
  const short = progress({ kind: 'adaptive', evaluations: 12 }, view)
  assert.ok(progress({ kind: 'adaptive', evaluations: 120 }, view) < short)
  // A loss that falls with the first coordinate of the aggregate: the search pushes it down, which the honest mean does not ask for.
  const lossAfter = (aggregate: Float32Array): number => -aggregate[0]!
  const first = (more: Partial<AttackerView>): number => {
    const updates = [...view.honest, ...attackUpdates({ kind: 'adaptive' }, { ...view, ...more })]
    return applyRule(view.rule, { updates, sizes: updates.map(() => 1), reference: view.guess, seed }).update[0]!
  }
  assert.ok(first({ lossAfter }) < first({}))
})

test('knows what receivers decode: a search over what compression would undo is left alone [L-38]', () => {
  const view = round(12, 4, { kind: 'mean' })
  // Receivers see only the first coordinate.
  const sent = (update: Float32Array): Float32Array => update.map((x, j) => (j === 0 ? x : 0))
  const lies = attackUpdates({ kind: 'adaptive' }, { ...view, sent })
  assert.equal(lies.length, 4)
  const decoded = [...view.honest, ...lies.map(sent)]
  const { update } = applyRule(view.rule, { updates: decoded, sizes: decoded.map(() => 1), seed })
  assert.ok(update.every(Number.isFinite))
})

test('refuses a strength that is not above 0, and does without honest updates or without a guess [L-38]', () => {
  for (const attack of [
    { kind: 'signFlip', scale: 0 },
    { kind: 'noise', scale: -1 },
    { kind: 'ipm', epsilon: Number.NaN },
    { kind: 'backdoor', ...backdoor, scale: Number.POSITIVE_INFINITY },
  ] as const) {
    assert.throws(
      () => attackUpdates(attack, small),
      (error) => codeOf(error) === 'BAD_ATTACK',
    )
  }
  for (const attack of attackSuite(backdoor)) {
    const alone = attackUpdates(attack, { ...small, honest: [] })
    assert.equal(alone.length, 2)
    assert.ok(
      alone.every((update) => update.every(Number.isFinite)),
      attack.kind,
    )
    assert.deepEqual(attackUpdates(attack, { ...small, own: [] }), [])
  }
})

test('reads attacks as it writes them, and names the forms it knows [L-38]', () => {
  for (const attack of attackSuite(backdoor)) assert.deepEqual(parseAttack(attackText(attack), backdoor), attack)
  for (const name of attackNames) assert.equal(attackText(parseAttack(name, backdoor)), name)
  assert.deepEqual(parseAttack(' sign-flip:2.5 '), { kind: 'signFlip', scale: 2.5 })
  for (const bad of [
    '',
    'krum',
    'signFlip',
    'sign-flip:0',
    'sign-flip:-3',
    'ipm:x',
    'copy:2',
    'mimic:1.5',
    'free-rider:all',
    'alie:1:2',
    'backdoor',
  ]) {
    assert.throws(
      () => parseAttack(bad),
      (error) => codeOf(error) === 'BAD_ATTACK',
      bad,
    )
  }
})
