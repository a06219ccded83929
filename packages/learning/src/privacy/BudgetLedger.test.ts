import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PotluckError, sha256, toHex, utf8 } from '@potluck/protocol'
import { type BudgetLedger, type Charge, spend, spentEpsilon, stepsLeft } from './BudgetLedger.ts'
import { decodeLedger, encodeLedger } from './ledgerBytes.ts'
import { pldEpsilon } from './pldEpsilon.ts'

const empty: BudgetLedger = {
  owner: 'cleveland',
  dataset: 'heart 2026',
  budget: { epsilon: 2, delta: 1e-5 },
  spent: [],
}
const charge = (round: number, change: Partial<Charge> = {}): Charge => ({
  job: 'job 7',
  round,
  attempt: 1,
  release: toHex(sha256(utf8(`round ${round}`))),
  step: { noise: 6, rate: 1, steps: 1 },
  ...change,
})

test('the round that would overspend is refused, with what is spent, what is left and what to do [L-58]', () => {
  let ledger = empty
  const fits = stepsLeft(empty, { noise: 6, rate: 1 })
  for (let round = 1; round <= fits; round++) ledger = spend(ledger, charge(round))
  assert.ok(spentEpsilon(ledger) <= 2)
  assert.equal(stepsLeft(ledger, { noise: 6, rate: 1 }), 0)
  assert.throws(
    () => spend(ledger, charge(fits + 1)),
    (error) => {
      assert.ok(error instanceof PotluckError && error.code === 'BUDGET_SPENT')
      assert.match(error.message, /cleveland allows ε = 2 .* is spent, and 1 release with noise 6 .* more noise/)
      assert.ok(Number(error.facts.wouldBe) > 2 && Number(error.facts.spent) <= 2)
      assert.equal(error.facts.stepsLeft, 0)
      return true
    },
  )
  // What is left may still do for a release with more noise.
  assert.ok(stepsLeft(ledger, { noise: 100, rate: 1 }) > 0)
  assert.equal(spend(ledger, charge(99, { step: { noise: 100, rate: 1, steps: 1 } })).spent.length, fits + 1)
})

test('all jobs on the same rows draw on one budget, as steps of several kinds compose [L-58]', () => {
  const one = spend(empty, charge(1, { job: 'a', step: { noise: 8, rate: 1, steps: 3 } }))
  const two = spend(one, charge(1, { job: 'b', step: { noise: 1.5, rate: 0.01, steps: 100 } }))
  const both = pldEpsilon(
    [
      { noise: 8, rate: 1, steps: 3 },
      { noise: 1.5, rate: 0.01, steps: 100 },
    ],
    1e-5,
  )
  assert.equal(spentEpsilon(two), both)
  assert.ok(spentEpsilon(two) > spentEpsilon(one))
})

test('a message sent again costs nothing, a changed one is paid for [L-58]', () => {
  const once = spend(empty, charge(1))
  assert.equal(spend(once, charge(1)), once)
  assert.equal(spend(decodeLedger(encodeLedger(once)), charge(1)).spent.length, 1)
  for (const change of [
    { attempt: 2 },
    { round: 2 },
    { job: 'another' },
    { release: toHex(sha256(utf8('another base'))) },
    { step: { noise: 7, rate: 1, steps: 1 } },
  ]) {
    assert.equal(spend(once, charge(1, change)).spent.length, 2, JSON.stringify(change))
  }
  assert.equal(empty.spent.length, 0)
})

test('a refused charge leaves the ledger as it was', () => {
  const once = spend(empty, charge(1))
  const before = encodeLedger(once)
  assert.throws(() => spend(once, charge(2, { step: { noise: 0.3, rate: 1, steps: 1 } })), { code: 'BUDGET_SPENT' })
  assert.deepEqual(encodeLedger(once), before)
})

test('a ledger has one form in bytes, and any other is refused [L-59]', () => {
  const ledger = spend(spend(empty, charge(1)), charge(2, { step: { noise: 30, rate: 0.25, steps: 4 } }))
  const bytes = encodeLedger(ledger)
  assert.deepEqual(decodeLedger(bytes), ledger)
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeLedger(bytes.subarray(0, length)), { code: 'BAD_LEDGER' })
  }
  assert.throws(() => decodeLedger(Uint8Array.of(...bytes, 0)), { code: 'BAD_LEDGER' })
  for (const at of [0, 4, 5, 6]) {
    const changed = bytes.slice()
    changed[at] = 0xff
    assert.throws(() => decodeLedger(changed), { code: 'BAD_LEDGER' }, `byte ${at}`)
  }
  const noNumber = bytes.slice()
  noNumber.fill(0xff, 26, 34)
  assert.throws(() => decodeLedger(noNumber), PotluckError)
})

test('names, numbers and hashes that are none are refused', () => {
  for (const bad of [
    { job: '' },
    { job: 'x'.repeat(256) },
    { job: '\ud800' },
    { round: -1 },
    { attempt: 0 },
    { release: '0x00' as const },
  ]) {
    assert.throws(() => spend(empty, charge(1, bad)), { code: 'BAD_LEDGER' })
  }
  assert.throws(() => spend(empty, charge(1, { step: { noise: 0, rate: 1, steps: 1 } })), { code: 'BAD_PRIVACY' })
  assert.throws(() => spend({ ...empty, budget: { epsilon: 0, delta: 1e-5 } }, charge(1)), { code: 'BAD_PRIVACY' })
})
