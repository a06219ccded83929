import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { codeOf, utf8 } from '@potluck/protocol'
import { assignWork, type MeasuredSpeed, QUARTERS, reassignQuarters } from './assignWork.ts'

const workers = (...speeds: number[]): MeasuredSpeed[] =>
  speeds.map((stepsPerSecond, i) => ({ worker: `w${i}`, stepsPerSecond }))
const counts = (speeds: MeasuredSpeed[], quarters: number): number[] =>
  assignWork(speeds, quarters).map((one) => one.quarters)

test('gives quarters in proportion to speed, one at least [L-69]', () => {
  assert.deepEqual(counts(workers(1, 1, 1), 12), [4, 4, 4])
  assert.deepEqual(counts(workers(3, 1), 8), [6, 2])
  assert.deepEqual(counts(workers(1_000, 0.001), 8), [7, 1])
  assert.deepEqual(counts(workers(1, 1, 1), 4), [2, 1, 1])
})

test('gives out every quarter exactly, whatever the speeds [L-69]', () => {
  const random = new RandomStream(utf8('assign'), 70, 0)
  let at = 0
  for (let run = 0; run < 300; run++) {
    const size = 1 + random.below(at++, 60)
    const speeds = workers(...Array.from({ length: size }, () => 0.01 + 100 * random.uniform(at++)))
    const given = assignWork(speeds, QUARTERS * size)
    assert.equal(
      given.reduce((sum, { quarters }) => sum + quarters, 0),
      QUARTERS * size,
    )
    assert.ok(given.every(({ quarters }) => quarters >= 1))
    for (const [i, a] of speeds.entries()) {
      for (const [j, b] of speeds.entries()) {
        if (a.stepsPerSecond > b.stepsPerSecond) assert.ok(given[i]!.quarters >= given[j]!.quarters)
      }
    }
  }
})

test('refuses a speed of nothing, nobody, and less work than workers [L-69]', () => {
  for (const work of [
    () => assignWork(workers(1, 0), 8),
    () => assignWork(workers(Number.NaN), 8),
    () => assignWork([], 8),
    () => assignWork(workers(1, 1, 1), 2),
  ])
    assert.throws(work, (error) => codeOf(error) === 'BAD_ASSIGNMENT')
})

test('a lost share goes on at the quarter where it broke off, with whoever is done first [L-69]', () => {
  const taken = reassignQuarters([{ share: 3, from: 2, left: 2 }], workers(1, 5, 2), 10, 60_000)
  assert.deepEqual(taken, [{ share: 3, from: 2, left: 2, worker: 'w1' }])
})

test('spreads lost shares by the time each taker needs for all it took over [L-69]', () => {
  const lost = [0, 1, 2].map((share) => ({ share, from: 0, left: QUARTERS }))
  const taken = reassignQuarters(lost, workers(2, 1), 10, 60_000)
  // 20 s a share for the first, 40 s for the second: the third share is done sooner at 40 s than at 60 s or 80 s.
  assert.deepEqual(
    taken.map(({ worker }) => worker),
    ['w0', 'w0', 'w1'],
  )
})

test('gives to nobody what nobody can finish in time [L-69]', () => {
  assert.deepEqual(reassignQuarters([{ share: 0, from: 0, left: QUARTERS }], workers(1), 10, 39_999), [])
  assert.equal(reassignQuarters([{ share: 0, from: 0, left: QUARTERS }], workers(1), 10, 40_000).length, 1)
  assert.deepEqual(reassignQuarters([{ share: 0, from: 0, left: QUARTERS }], [], 10, 40_000), [])
})
