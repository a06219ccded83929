import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '@ipld/dag-cbor'
import {
  auditReport,
  fromHex,
  type Hex,
  merkleRootOfNodes,
  payoutDocument,
  proposalHash,
  sha256,
  sumTree,
  toHex,
} from '@potluck/protocol'
import { payoutsAfter, sharePayDown } from './payouts.ts'
import { type RoundResult, resultDocuments } from './resultDocuments.ts'

const node = (i: number): Hex => `0x${(i + 1).toString(16).padStart(40, '0')}`
const hash = (byte: string): Hex => `0x${byte.repeat(32)}`
const paid = (i: number) => ({ worker: node(i), accepted: true })
const refused = (i: number) => ({ worker: node(i), accepted: false })

test('pays every accepted share the same, rounded down, and never more than the round has [P-50]', () => {
  for (const shares of [1, 3, 5, 7]) {
    const each = sharePayDown(1_000n, shares)
    assert.ok(each * BigInt(shares) <= 1_000n)
    assert.ok((each + 1n) * BigInt(shares) > 1_000n)
  }
  const leaves = payoutsAfter([], [paid(0), paid(1), paid(0)], 10n)
  assert.deepEqual(leaves, [
    { account: node(0), amount: 20n },
    { account: node(1), amount: 10n },
  ])
})

test('pays nothing for a claim found wrong, and takes nothing back of what was accepted before [P-50]', () => {
  const before = payoutsAfter([], [paid(0), paid(1)], 10n)
  const after = payoutsAfter(before, [refused(0), paid(1)], 10n)
  assert.deepEqual(after, [
    { account: node(0), amount: 10n },
    { account: node(1), amount: 20n },
  ])
  assert.deepEqual(payoutsAfter([], [refused(0)], 10n), [], 'a liar in the first round never gets a place')
})

test('keeps the index of an account for the whole job and changes no earlier list [P-50]', () => {
  let leaves = payoutsAfter([], [paid(3)], 10n)
  const first = structuredClone(leaves)
  const kept = leaves
  for (const claims of [[paid(1), paid(3)], [paid(2)], [refused(1)], [paid(0), paid(1)]]) {
    const next = payoutsAfter(leaves, claims, 10n)
    for (const [i, leaf] of leaves.entries()) {
      assert.equal(next[i]?.account, leaf.account)
      assert.ok((next[i]?.amount ?? 0n) >= leaf.amount)
    }
    leaves = next
  }
  assert.deepEqual(kept, first)
  assert.deepEqual(
    leaves.map(({ account }) => account),
    [node(3), node(1), node(2), node(0)],
  )
})

const result: RoundResult = {
  job: 1,
  round: 2,
  beacon: hash('01'),
  leaves: [
    { account: node(0), amount: 20n },
    { account: node(1), amount: 1n << 100n },
  ],
  claims: [
    {
      hash: hash('02'),
      worker: node(0),
      share: 0,
      ratePpm: 50_000,
      auditor: null,
      outcome: 'not-drawn',
      weightPpm: 1_000_000,
      pay: 10n,
    },
  ],
  stateDigest: hash('03'),
  stateRoot: hash('04'),
  run: [hash('05'), hash('06')],
  convictions: 1,
}

test('points from the proposal to the report and from the report to the list, by digest, and both can be read [P-51]', () => {
  const { payout, report, proposal } = resultDocuments(result)
  const readReport = auditReport.parse(decode(report))
  const readPayout = payoutDocument.parse(decode(payout))
  assert.equal(proposal.auditRoot, toHex(sha256(report)))
  assert.equal(readReport.payout, toHex(sha256(payout)))
  assert.deepEqual(readPayout.leaves, result.leaves)
  assert.deepEqual(readReport.claims, result.claims)
  const tree = sumTree(readPayout.leaves)
  assert.deepEqual([proposal.payoutRoot, proposal.payoutTotal], [tree.root, tree.total])
  assert.deepEqual([proposal.stateDigest, proposal.stateRoot], [result.stateDigest, result.stateRoot])
  assert.deepEqual(readReport.run, result.run)
  assert.deepEqual([proposal.runRoot, proposal.convictions], [toHex(merkleRootOfNodes(result.run.map(fromHex))), 1])
  assert.equal(resultDocuments({ ...result, run: [] }).proposal.runRoot, hash('00'), 'no run, no root')
})

test('gives equal results equal bytes, however the fields were laid down, and any other result another hash [P-51]', () => {
  const hashOf = (each: RoundResult): Hex => proposalHash(each.job, each.round, resultDocuments(each).proposal)
  const reordered = Object.fromEntries(Object.entries(result).reverse()) as RoundResult
  const claims = result.claims.map((claim) => Object.fromEntries(Object.entries(claim).reverse()) as typeof claim)
  assert.equal(hashOf({ ...reordered, claims }), hashOf(result))
  const [claim] = result.claims as [RoundResult['claims'][number]]
  const others: RoundResult[] = [
    { ...result, job: 2 },
    { ...result, round: 3 },
    { ...result, beacon: hash('ff') },
    { ...result, stateRoot: hash('ff') },
    { ...result, leaves: [...result.leaves].reverse() },
    { ...result, claims: [{ ...claim, pay: 11n }] },
    { ...result, claims: [{ ...claim, outcome: 'expelled' }] },
    { ...result, claims: [{ ...claim, auditor: node(5) }] },
    { ...result, claims: [] },
    { ...result, run: [] },
    { ...result, run: [...result.run].reverse() },
    { ...result, convictions: 2 },
  ]
  assert.equal(new Set([result, ...others].map(hashOf)).size, others.length + 1)
})
