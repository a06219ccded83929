import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from './bytes.ts'
import {
  assetMetadata,
  auditReport,
  callReceipt,
  jobDocument,
  MOST_MICRO,
  payoutDocument,
  sumRecord,
  transcript,
} from './documents.ts'

const hash = `0x${'ab'.repeat(32)}` as Hex
const address = `0x${'cd'.repeat(20)}` as Hex
const payout = { type: 'payout', job: 1, round: 0, leaves: [{ account: address, amount: '10' }] }
const language = {
  type: 'job',
  kind: 'language',
  name: 'tiny',
  description: '',
  workSeconds: 30,
  silenceSeconds: 3,
  trainCid: 'bafy',
  validCid: 'bafy',
  seed: hash,
  shares: 5,
  recipe: {
    config: { vocabulary: 'ab', context: 8, width: 8, layers: 1, heads: 1, hidden: 16 },
    batch: 1,
    steps: 1,
    learningRate: 0.01,
    weightDecay: 0,
    warmupSteps: 0,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    stateEverySteps: 1,
  },
  audit: { gainPpm: 900_000, colludingPpm: 0, auditors: 1, saltPriceE18: '1', newClaims: 3 },
}
const tabular = {
  type: 'job',
  kind: 'tabular',
  name: 'heart',
  description: '',
  workSeconds: 30,
  silenceSeconds: 3,
  table: 'heart',
  l2: 0.05,
  maxSteps: 25,
  members: [1, 2, 3],
}

test('reads amounts as whole numbers of any size, and nothing that only looks like one [P-10]', () => {
  const largest = '9'.repeat(39)
  const read = payoutDocument.parse({ ...payout, leaves: [{ account: address, amount: largest }] })
  assert.equal(read.leaves[0]?.amount, BigInt(largest))
  for (const amount of ['', '-1', '+1', '1.0', '1e3', '01', ' 1', '0x10', '9'.repeat(40), 10, 10n, null]) {
    const leaves = [{ account: address, amount }]
    assert.ok(!payoutDocument.safeParse({ ...payout, leaves }).success, String(amount))
  }
})

test('refuses another type, a field more, and lists without an end [P-10]', () => {
  assert.ok(payoutDocument.safeParse(payout).success)
  assert.ok(!payoutDocument.safeParse({ ...payout, type: 'audit' }).success)
  assert.ok(!payoutDocument.safeParse({ ...payout, more: 1 }).success)
  const leaves = Array.from({ length: 10_001 }, () => ({ account: address, amount: '1' }))
  assert.ok(!payoutDocument.safeParse({ ...payout, leaves }).success)
  for (const schema of [assetMetadata, auditReport, callReceipt, jobDocument, transcript]) {
    for (const other of [payout, null, [], 'text', 7]) assert.ok(!schema.safeParse(other).success)
  }
})

test('takes jobs of the kinds it knows, within the limits of what a node will run [P-10]', () => {
  assert.ok(jobDocument.safeParse(language).success)
  assert.ok(jobDocument.safeParse(tabular).success)
  const { recipe } = language
  const resistance = { scorePpm: 1, worst: 'noise', attackersPpm: 400_000, cleanPpm: 2, worstAccuracyPpm: 1 }
  assert.ok(jobDocument.safeParse({ ...language, resistance }).success)
  // Nothing can be tried on single updates that nobody sees.
  assert.ok(!jobDocument.safeParse({ ...tabular, resistance }).success)
  const refused: object[] = [
    { ...language, kind: 'images' },
    { ...language, shares: 0 },
    { ...language, shares: 513 },
    { ...language, seed: '0x00' },
    { ...language, recipe: { ...recipe, steps: 100_001 } },
    { ...language, recipe: { ...recipe, learningRate: 0 } },
    { ...language, recipe: { ...recipe, learningRate: Number.NaN } },
    { ...language, recipe: { ...recipe, beta1: 1 } },
    { ...language, recipe: { ...recipe, config: { ...recipe.config, layers: 65 } } },
    { ...language, recipe: { ...recipe, config: { ...recipe.config, context: 1.5 } } },
    { ...language, audit: { ...language.audit, auditors: 0 } },
    { ...language, scoreWindows: 0 },
    { ...language, scoreWindows: 1_025 },
    { ...tabular, scoreWindows: 64 },
    { ...tabular, members: [1, 2] },
    { ...tabular, table: 'other' },
    { ...tabular, l2: -1 },
    { ...tabular, maxSteps: 101 },
  ]
  for (const document of refused) assert.ok(!jobDocument.safeParse(document).success, JSON.stringify(document))
})

test('a private job may say how few members will do: more than half, and more than may tell their noise [P-63]', () => {
  const of = (members: number, leastMembers: number, dishonest?: number): object => ({
    ...tabular,
    ...{ members: Array.from({ length: members }, (_, i) => i + 1), leastMembers },
    ...(dishonest !== undefined && { noise: { multiplier: 1, dishonest } }),
  })
  for (const taken of [of(3, 3), of(4, 3), of(5, 3), of(6, 4), of(5, 5), of(5, 4, 3)])
    assert.ok(jobDocument.safeParse(taken).success)
  for (const refused of [of(3, 2), of(3, 4), of(6, 3), of(7, 3), of(5, 3, 3), of(5, 3.5)])
    assert.ok(!jobDocument.safeParse(refused).success, JSON.stringify(refused))
})

test('a sum names its group by places that rise, three at least, or not at all [P-63]', () => {
  const vectors = [new Uint8Array(8), new Uint8Array(8), new Uint8Array(8)]
  const transcriptWith = (group?: unknown): object => ({
    ...{ type: 'transcript', job: 1, members: [1, 2, 3].map((i) => `0x${`0${i}`.repeat(20)}`) },
    steps: [{ attempt: 1, vectors, ...(group !== undefined && { group }) }],
  })
  const recordWith = (group?: unknown): object => ({
    ...{ type: 'sum', job: 1, step: 0, attempt: 1, vectors },
    ...(group !== undefined && { group }),
  })
  for (const group of [undefined, [0, 1, 2], [0, 5, 63]]) {
    assert.ok(transcript.safeParse(transcriptWith(group)).success)
    assert.ok(sumRecord.safeParse(recordWith(group)).success)
  }
  for (const group of [[0, 1], [0, 2, 1], [0, 1, 1], [0, 1, 64], [-1, 0, 1], '0,1,2', null]) {
    assert.ok(!transcript.safeParse(transcriptWith(group)).success, JSON.stringify(group))
    assert.ok(!sumRecord.safeParse(recordWith(group)).success, JSON.stringify(group))
  }
})

test('a report tells contributions or, as those of older jobs, does not; what it tells is whole and bounded [P-58]', () => {
  const contribution = { valueMicro: -12, countedMicro: -12, finding: null }
  const claim = {
    ...{ hash, worker: address, share: 0, ratePpm: 0, auditor: null, outcome: 'not-drawn', weightPpm: 0, pay: '1' },
  }
  const isReport = (more: object): boolean =>
    auditReport.safeParse({
      ...{ type: 'audit', job: 1, round: 0, beacon: hash, run: [], payout: hash },
      claims: [{ ...claim, ...more }],
    }).success
  assert.ok(isReport({}))
  for (const finding of [null, { kind: 'copy', share: 3 }, { kind: 'alike', share: 3 }, { kind: 'empty' }])
    assert.ok(isReport({ contribution: { ...contribution, finding } }))
  for (const bad of [
    null,
    { ...contribution, valueMicro: 0.5 },
    { ...contribution, valueMicro: MOST_MICRO + 1 },
    { ...contribution, countedMicro: '1' },
    { ...contribution, finding: 'copy' },
    { ...contribution, finding: { kind: 'copy' } },
    { ...contribution, finding: { kind: 'empty', share: 3 } },
    { ...contribution, more: 1 },
    { valueMicro: 1, countedMicro: 1 },
  ]) {
    assert.ok(!isReport({ contribution: bad }), JSON.stringify(bad))
  }
  assert.ok(jobDocument.safeParse({ ...language, scoreWindows: 64 }).success)
})
