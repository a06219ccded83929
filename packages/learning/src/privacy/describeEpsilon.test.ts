import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeEpsilon } from './describeEpsilon.ts'
import { gaussianDelta } from './gaussianDelta.ts'
import { normalTail } from './normalTail.ts'
import { userLevelStep } from './userLevelStep.ts'

test('ε = ln 3 means at most threefold odds and at most 3 % found at 1 % false alarms', () => {
  const { oddsFactor, tprAt1Percent, advantage, meaning, warnings } = describeEpsilon(1.0986122886681098, 1e-9, {
    members: 1_000,
  })
  assert.ok(Math.abs(oddsFactor - 3) < 1e-12)
  assert.ok(Math.abs(tprAt1Percent - 0.03) < 1e-6)
  assert.ok(Math.abs(advantage - 0.5) < 1e-6)
  assert.match(meaning, /by 3 times at most .* at most 3 % of the members/)
  assert.deepEqual(warnings, [])
})

test('the best test against Gaussian noise stays below every bound that its ε and δ give', () => {
  for (const noise of [0.5, 1, 3]) {
    for (const epsilon of [0.1, 0.5, 1, 3, 8]) {
      const delta = gaussianDelta(noise, epsilon)
      if (delta < 1e-12) continue
      const { tprAt1Percent, advantage } = describeEpsilon(epsilon, delta, { members: 10 })
      // Neyman and Pearson: say "in" above a threshold.
      const threshold = 2.3263478740408408 * noise
      assert.ok(normalTail((threshold - 1) / noise) <= tprAt1Percent + 1e-12)
      assert.ok(1 - 2 * normalTail(1 / (2 * noise)) <= advantage + 1e-12)
    }
  }
})

test('what makes a promise worthless is said', () => {
  const words = (epsilon: number, delta: number, members: number, more = {}): string =>
    describeEpsilon(epsilon, delta, { members, ...more }).warnings.join(' ')
  assert.match(words(12, 1e-9, 1_000), /next to nothing/)
  assert.match(words(5, 1e-9, 1_000), /weak/)
  assert.match(words(1, 1e-3, 1_000), /1\/1000 or more/)
  assert.match(words(1, 1e-2, 20), /a tenth/)
  assert.match(words(1, 1e-9, 2), /each knows all about/)
  // 20 clients, 25,000 numbers, noise 4.1 (the case of research on few clients): 32 times the signal.
  assert.match(words(3, 1e-9, 20, { parameters: 25_000, noise: 4.1, perRound: 20 }), /32.4 times as long/)
  assert.equal(words(1, 1e-9, 20_000, { parameters: 100, noise: 4, perRound: 20_000 }), '')
  assert.match(describeEpsilon(800, 1e-9, { members: 10 }).meaning, /billion times .* all of the members/)
  assert.throws(() => describeEpsilon(-1, 1e-5, { members: 10 }), { code: 'BAD_PRIVACY' })
})

test('sampling of clients counts only where nobody sees who takes part [L-55]', () => {
  const run = { clients: 100, perRound: 10, rounds: 50, noise: 2 }
  assert.deepEqual(userLevelStep({ ...run, participation: 'secret' }), { noise: 2, rate: 0.1, steps: 50 })
  assert.deepEqual(userLevelStep({ ...run, participation: 'public' }), { noise: 2, rate: 1, steps: 50 })
  assert.deepEqual(userLevelStep({ ...run, participation: 'public', roundsEach: 9 }), { noise: 2, rate: 1, steps: 9 })
  for (const bad of [{ perRound: 101 }, { rounds: 0 }, { clients: 2.5 }, { roundsEach: 51 }]) {
    assert.throws(() => userLevelStep({ ...run, participation: 'public', ...bad }), { code: 'BAD_PRIVACY' })
  }
})
