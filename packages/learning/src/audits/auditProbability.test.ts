import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { type AuditTerms, auditProbability, deterringPpm } from './auditProbability.ts'

const R = 1_000_000_000_000_000_000n
const terms: AuditTerms = {
  reward: R,
  gain: (8n * R) / 10n,
  burnedStake: 20n * R,
  colludingSharePpm: 300_000,
  auditors: 1,
}

test('needs 5.4, 4.2, 2.2 and 7.6 % for the four textbook cases, rounded up [L-16]', () => {
  // 0.8 / (0.7 * 21), 0.8 / (0.91 * 21), 0.8 / (0.7 * 51), 0.8 / (0.5 * 21)
  assert.equal(deterringPpm(terms), 54_422n)
  assert.equal(deterringPpm({ ...terms, auditors: 2 }), 41_863n)
  assert.equal(deterringPpm({ ...terms, burnedStake: 50n * R }), 22_409n)
  assert.equal(deterringPpm({ ...terms, colludingSharePpm: 500_000 }), 76_191n)
})

test('counts missed faults and wrong slashes: 0.8 / (0.9 * 0.7 * 21 - 0.01 * 20) [L-16]', () => {
  assert.equal(deterringPpm({ ...terms, detectionPpm: 900_000, falsePositivePpm: 10_000 }), 61_397n)
})

test('applies margin, floor, newcomers and the cap in this order [L-16]', () => {
  assert.equal(auditProbability(terms, { isNew: false }), 81_633) // 1.5 * 5.44217...
  assert.equal(auditProbability(terms, { isNew: true }), 163_266)
  assert.equal(auditProbability({ ...terms, burnedStake: 1000n * R }, { isNew: false }), 50_000)
  assert.equal(auditProbability({ ...terms, burnedStake: 1000n * R }, { isNew: true }), 100_000)
  assert.equal(auditProbability({ ...terms, burnedStake: 0n }, { isNew: false }), 1_000_000)
  assert.equal(auditProbability({ ...terms, gain: 0n }, { isNew: false, floorPpm: 10_000 }), 10_000)
})

test('audits everything when no rate deters: all auditors collude, or wrong slashes cost more than the fault [L-16]', () => {
  for (const hopeless of [
    { ...terms, colludingSharePpm: 1_000_000 },
    { ...terms, detectionPpm: 10_000, falsePositivePpm: 900_000 },
  ]) {
    assert.equal(deterringPpm(hopeless), undefined)
    assert.equal(auditProbability(hopeless, { isNew: false }), 1_000_000)
  }
})

test('is the smallest rate at which cheating loses, for amounts beyond the exact range of a float [L-17]', () => {
  const odd = {
    ...terms,
    reward: 123_456_789_012_345_678_901n,
    gain: 98_765_432_109_876_543_211n,
    burnedStake: (1n << 90n) + 7n,
  }
  for (const stake of [odd.burnedStake, odd.gain * 31n]) {
    const p = deterringPpm({ ...odd, burnedStake: stake })!
    const loss = (rate: bigint): bigint => rate * 700_000n * (odd.reward + stake) - odd.gain * 1_000_000_000_000n
    assert.ok(loss(p) >= 0n)
    assert.ok(loss(p - 1n) < 0n)
  }
})

test('never falls when gain or collusion grows, nor rises when stake or auditors grow [L-16]', () => {
  for (let k = 1; k < 60; k++) {
    const at = (change: Partial<AuditTerms>): bigint => deterringPpm({ ...terms, ...change })!
    assert.ok(at({ gain: (BigInt(k + 1) * R) / 60n }) >= at({ gain: (BigInt(k) * R) / 60n }))
    assert.ok(at({ colludingSharePpm: 16_000 * (k + 1) }) >= at({ colludingSharePpm: 16_000 * k }))
    assert.ok(at({ burnedStake: BigInt(k + 1) * R }) <= at({ burnedStake: BigInt(k) * R }))
    assert.ok(at({ auditors: k + 1 }) <= at({ auditors: k }))
  }
})

test('refuses terms that make no sense [L-17]', () => {
  const bad: Partial<AuditTerms>[] = [
    { gain: -1n },
    { auditors: 0 },
    { auditors: 1.5 },
    { auditors: 65 },
    { colludingSharePpm: 0.3 },
    { detectionPpm: 1_000_001 },
  ]
  for (const change of bad) {
    assert.throws(
      () => deterringPpm({ ...terms, ...change }),
      (error) => codeOf(error) === 'BAD_AUDIT_TERMS',
    )
  }
  assert.throws(
    () => auditProbability(terms, { isNew: false, marginPpm: 900_000 }),
    (error) => codeOf(error) === 'BAD_AUDIT_TERMS',
  )
})
