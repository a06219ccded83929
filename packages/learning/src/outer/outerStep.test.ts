import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OuterOptimizer } from './OuterOptimizer.ts'
import { outerStep } from './outerStep.ts'

const base = Float32Array.of(1, -2, 0.5, 0)
const updates = [Float32Array.of(0.5, 0.25, -0.125, 0), Float32Array.of(0.25, -0.5, 0, 1)]

/** Runs both rounds; next models of each. */
function twoRounds(how: OuterOptimizer): number[][] {
  const one = outerStep(how, base, updates[0]!, undefined)
  const two = outerStep(how, one.next, updates[1]!, one.state)
  return [[...one.next], [...two.next]]
}

/** In f64, value by value, from the paper's formulae. */
function inDoubles(how: OuterOptimizer): number[][] {
  return [...base].map((start, i) => {
    let [x, m, v] = [start, 0, how.kind === 'sgd' ? 0 : how.epsilon * how.epsilon]
    return updates.map((update) => {
      const u = update[i]!
      if (how.kind === 'sgd') {
        const { momentum = 0, nesterov = false } = how
        m = momentum * m + u
        x -= how.rate * (nesterov ? u + momentum * m : m)
        return x
      }
      m = how.beta1 * m + (1 - how.beta1) * u
      if (how.kind === 'adagrad') v += u * u
      if (how.kind === 'adam') v = how.beta2 * v + (1 - how.beta2) * u * u
      if (how.kind === 'yogi') v -= (1 - how.beta2) * u * u * Math.sign(v - u * u)
      x -= (how.rate * m) / (Math.sqrt(v) + how.epsilon)
      return x
    })
  })
}

test('rate 1 without momentum takes the trained mean as the next model (FedAvg) [L-28]', () => {
  const { next, state } = outerStep({ kind: 'sgd', rate: 1 }, base, updates[0]!, undefined)
  assert.deepEqual([...next], [0.5, -2.25, 0.625, 0])
  assert.deepEqual(state, {})
})

test('momentum and Nesterov, worked by hand [L-28]', () => {
  // m1 = u1; m2 = m1/2 + u2 = (0.5, −0.375, −0.0625, 1)
  const momentum = twoRounds({ kind: 'sgd', rate: 0.5, momentum: 0.5 })
  assert.deepEqual(momentum, [
    [0.75, -2.125, 0.5625, 0],
    [0.5, -1.9375, 0.59375, -0.5],
  ])
  // Steps u + m/2: (0.75, 0.375, −0.1875, 0), then (0.5, −0.6875, −0.03125, 1.5)
  const nesterov = twoRounds({ kind: 'sgd', rate: 0.5, momentum: 0.5, nesterov: true })
  assert.deepEqual(nesterov, [
    [0.625, -2.1875, 0.59375, 0],
    [0.375, -1.84375, 0.609375, -0.75],
  ])
})

const adaptive = { rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 0.001 }
const ways: OuterOptimizer[] = [
  { kind: 'sgd', rate: 0.7, momentum: 0.9, nesterov: true },
  { kind: 'adam', ...adaptive },
  { kind: 'yogi', ...adaptive },
  { kind: 'adagrad', ...adaptive, beta1: 0 },
]
for (const how of ways) {
  test(`${how.kind} agrees with its formula in f64 and is the same bits twice [L-28] [L-29]`, () => {
    const rounds = twoRounds(how)
    inDoubles(how).forEach((values, i) => {
      values.forEach((value, round) => {
        assert.ok(Math.abs(rounds[round]![i]! - value) < 1e-5, `parameter ${i}, round ${round + 1}`)
      })
    })
    assert.deepEqual(twoRounds(how), rounds)
  })
}

test('a parameter whose update is 0 stays, from the first round on [L-29]', () => {
  for (const how of ways) assert.equal(outerStep(how, base, updates[0]!, undefined).next[3], 0)
})

test('yogi lets the second moment shrink more slowly than adam [L-28]', () => {
  const second = (kind: 'adam' | 'yogi'): number => {
    const how = { kind, ...adaptive, beta2: 0.5 }
    const one = outerStep(how, base, updates[0]!, undefined)
    return outerStep(how, one.next, Float32Array.of(0.01, 0, 0, 0), one.state).state.moment2![0]!
  }
  assert.ok(second('yogi') > 1.9 * second('adam'))
})

test('nothing that is given is written', () => {
  const before = { moment1: Float32Array.of(1, 2, 3, 4), moment2: Float32Array.of(1, 1, 1, 1) }
  const copy = structuredClone(before)
  outerStep({ kind: 'adam', ...adaptive }, base, updates[0]!, before)
  assert.deepEqual(before, copy)
  assert.deepEqual([...base], [1, -2, 0.5, 0])
})

test('settings out of range, wrong lengths and a model that runs away are refused [L-28] [L-29]', () => {
  const refused = (how: object, field: string): void =>
    assert.throws(() => outerStep(how as OuterOptimizer, base, updates[0]!, undefined), {
      code: 'BAD_OUTER',
      facts: { field },
    })
  refused({ kind: 'lion', rate: 1 }, 'kind')
  refused({ kind: 'sgd', rate: 0 }, 'rate')
  refused({ kind: 'sgd', rate: Number.NaN }, 'rate')
  refused({ kind: 'sgd', rate: 1, momentum: 1 }, 'momentum')
  refused({ kind: 'sgd', rate: 1, nesterov: true }, 'momentum')
  refused({ kind: 'adam', ...adaptive, beta2: 1 }, 'beta2')
  refused({ kind: 'yogi', ...adaptive, epsilon: 0 }, 'epsilon')
  const sgd: OuterOptimizer = { kind: 'sgd', rate: 1, momentum: 0.9 }
  assert.throws(() => outerStep(sgd, base, Float32Array.of(1), undefined), { code: 'SHAPE' })
  assert.throws(() => outerStep(sgd, base, updates[0]!, { momentum: Float32Array.of(1) }), { code: 'SHAPE' })
  assert.throws(() => outerStep(sgd, base, updates[0]!, {}), { code: 'SHAPE' })
  const wild: OuterOptimizer = { kind: 'sgd', rate: 3e38 }
  assert.throws(() => outerStep(wild, base, Float32Array.of(0, 9, 0, 0), undefined), { code: 'NAN', facts: { at: 1 } })
})
