import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AuditPolicy, abiEncode, type Claim, type Hex, keccak256, toHex } from '@potluck/protocol'
import { auditRates, type RateTerms } from './auditRates.ts'
import { drawAudits } from './drawAudits.ts'

const node = (i: number): Hex => `0x${(i + 1).toString(16).padStart(40, '0')}`
const beacon = (i: number): Hex => toHex(keccak256(abiEncode(i)))
const validators = [node(0), node(1), node(2)]
const hash: Hex = `0x${'00'.repeat(32)}`
const claimOf = (worker: Hex): Claim => ({
  worker,
  share: 0,
  baseRoot: hash,
  updateDigest: hash,
  updateRoot: hash,
  statesRoot: hash,
  units: 1,
})
const E18 = 10n ** 18n
const policy: AuditPolicy = { gainPpm: 1_000_000, colludingPpm: 0, auditors: 1, saltPriceE18: E18, newClaims: 2 }
const terms: RateTerms = { policy, bondSalt: 1_800n, sharePay: 100n, paidBefore: [], beaconMissing: false }
const old = [{ account: node(9), amount: 200n }]
const rateOf = (change: Partial<RateTerms>): number =>
  auditRates([claimOf(node(9))], { ...terms, paidBefore: old, ...change })[0] as number

test('audits at gain over pay and burned half of the bond, with a margin of one and a half [P-47]', () => {
  // 1.5 · 100 / (100 + 900) = 15 %
  assert.equal(rateOf({}), 150_000)
  assert.equal(rateOf({ bondSalt: 1_799n }), 150_000, 'the burned half is rounded up')
  assert.equal(rateOf({ bondSalt: 180_000n }), 50_000, 'never below the floor')
  assert.equal(rateOf({ bondSalt: 0n }), 1_000_000, 'never above everything')
  assert.equal(rateOf({ policy: { ...policy, saltPriceE18: E18 / 2n } }), 272_728, 'the bond at its price')
  assert.equal(rateOf({ policy: { ...policy, gainPpm: 500_000 } }), 75_000)
})

test('audits a newcomer twice as often until it was paid for the stated number of shares [P-47]', () => {
  const paid = (amount: bigint) => [{ account: node(9), amount }]
  assert.equal(rateOf({ paidBefore: [] }), 300_000)
  assert.equal(rateOf({ paidBefore: paid(199n) }), 300_000)
  assert.equal(rateOf({ paidBefore: paid(200n) }), 150_000)
  assert.equal(
    rateOf({ paidBefore: [{ account: node(8), amount: 999n }] }),
    300_000,
    'the record of another helps nobody',
  )
})

test('audits everybody twice as often when a validator kept its reveal back [P-47]', () => {
  assert.equal(rateOf({ beaconMissing: true }), 300_000)
  assert.equal(rateOf({ beaconMissing: true, paidBefore: [] }), 600_000)
  assert.equal(rateOf({ beaconMissing: true, bondSalt: 0n }), 1_000_000)
})

test('draws nobody at rate 0 and everybody at rate 1, and the same from the same beacon [P-48]', () => {
  for (let i = 0; i < 50; i++) {
    const rates = [0, 1_000_000, 0, 1_000_000, 500_000]
    const draws = drawAudits(beacon(i), rates, validators, 30)
    assert.deepEqual(draws, drawAudits(beacon(i), rates, validators, 30))
    assert.deepEqual([draws[0]?.auditor, draws[2]?.auditor], [null, null])
    assert.ok(draws[1]?.auditor && draws[3]?.auditor)
  }
})

test('draws as often as the rate says, whatever the claim and the beacon [P-48]', () => {
  let drawn = 0
  const met = new Map<Hex, number>()
  for (let i = 0; i < 400; i++) {
    for (const { auditor, probeStep } of drawAudits(beacon(i), new Array(5).fill(200_000), validators, 30)) {
      assert.ok(probeStep >= 1 && probeStep <= 30)
      if (!auditor) continue
      drawn++
      met.set(auditor, (met.get(auditor) ?? 0) + 1)
    }
  }
  // 2,000 draws at 20 %: 400, standard deviation 18; over three auditors 133 each, standard deviation 9.
  assert.ok(Math.abs(drawn - 400) < 72, `${drawn} drawn`)
  for (const [auditor, times] of met) assert.ok(Math.abs(times - drawn / 3) < 45, `${auditor}: ${times}`)
  assert.equal(met.size, 3)
})

test('shares the work of one round evenly, and names nobody where there is nobody [P-48]', () => {
  const all = drawAudits(beacon(1), new Array(6).fill(1_000_000), validators, 30).map(({ auditor }) => auditor)
  for (const validator of validators) assert.equal(all.filter((each) => each === validator).length, 2)
  assert.deepEqual(drawAudits(beacon(1), [1_000_000], [], 30)[0]?.auditor, null)
})

test('is worked out by hand: lot, start and probe [P-48]', () => {
  const bytes = Buffer.from(beacon(5).slice(2), 'hex')
  const lot = Buffer.from(keccak256(bytes, abiEncode(0)))
  const start = Number(BigInt(toHex(keccak256(bytes, abiEncode(1n << 255n)))) % 3n)
  const least = Math.ceil(((lot.readUInt32BE(0) + 1) / 2 ** 32) * 1e6)
  const [draw] = drawAudits(beacon(5), [least], validators, 30)
  assert.deepEqual(draw, {
    index: 0,
    ratePpm: least,
    auditor: validators[start],
    probeStep: 1 + (lot.readUInt32BE(4) % 30),
  })
  const below = Math.floor((lot.readUInt32BE(0) / 2 ** 32) * 1e6)
  assert.equal(drawAudits(beacon(5), [below], validators, 30)[0]?.auditor, null)
})
