/** Each hash beside what the contracts themselves make of the same values (spec/vectors/contracts.json). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex, type Hex, toHex } from '../bytes.ts'
import { allocationHash } from './allocationHash.ts'
import { attestationDigest, jobsDomain } from './attestationDigest.ts'
import { bondTask } from './bondTask.ts'
import { channelIdOf } from './channelIdOf.ts'
import { claimLeafHash } from './claimLeafHash.ts'
import { closeDigest } from './closeDigest.ts'
import { drawBeacon, firstBeacon, nextCommitteeSeed } from './drawBeacon.ts'
import { drawCommittee } from './drawCommittee.ts'
import { foldDirect, NO_DIRECT_CLAIMS } from './foldDirect.ts'
import { onionLayers } from './onionLayers.ts'
import { proposalHash } from './proposalHash.ts'
import { setTree } from './setTree.ts'
import { sumTree } from './sumTree.ts'
import { channelsDomain, voucherDigest } from './voucherDigest.ts'

type Domain = { name: string; version: string; chainId: number; verifyingContract: Hex }
type Digits<T, K extends keyof T> = Omit<T, K> & Record<K, string>
type Vectors = {
  sumTree: {
    leaves: { account: Hex; weight: string }[]
    root: Hex
    total: string
    proofs: { hash: Hex; sum: string }[][]
  }[]
  setTree: { leaves: Hex[]; root: Hex; proofs: { index: number; proof: Hex[] }[] }[]
  committee: { seed: Hex; n: number; size: number; members: number[] }[]
  onion: { secret: Hex; rounds: number; head: Hex; reveals: Hex[] }[]
  beacon: { jobId: string; round: number; previous: Hex; reveals: { index: number; preimage: Hex }[]; beacon: Hex }[]
  round: {
    first: { blockHash: Hex; jobId: string; beacon: Hex }[]
    direct: { before: Hex; worker: Hex; commitHash: Hex; hash: Hex }[]
    skipped: { seed: Hex; attempt: number; next: Hex }[]
  }
  jobs: {
    domain: Domain
    claims: { jobId: string; round: number; claim: Digits<Parameters<typeof claimLeafHash>[2], 'units'>; hash: Hex }[]
    proposals: {
      jobId: string
      round: number
      proposal: Digits<Parameters<typeof proposalHash>[2], 'payoutTotal'>
      hash: Hex
    }[]
    attestations: { message: Digits<Parameters<typeof attestationDigest>[1], 'jobId'>; digest: Hex }[]
    tasks: { jobId: string; role: number; task: Hex }[]
  }
  channels: {
    domain: Domain
    ids: { config: Parameters<typeof channelIdOf>[2]; channelId: Hex }[]
    allocations: { allocation: Digits<Parameters<typeof allocationHash>[0], 'version'>; hash: Hex }[]
    vouchers: { message: Digits<Parameters<typeof voucherDigest>[1], 'from' | 'cumulative'>; digest: Hex }[]
    closes: {
      message: Digits<Parameters<typeof closeDigest>[1], 'deposited' | 'claimed' | 'validUntil'>
      digest: Hex
    }[]
  }
}

const file = new URL('../../../../spec/vectors/contracts.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors

test('builds the same trees and proofs [C-04, C-05]', () => {
  for (const { leaves, root, total, proofs } of vectors.sumTree) {
    const tree = sumTree(leaves.map(({ account, weight }) => ({ account, amount: BigInt(weight) })))
    assert.deepEqual([tree.root, tree.total], [root, BigInt(total)])
    for (const [i, proof] of proofs.entries()) {
      assert.deepEqual(
        tree.proof(i),
        proof.map(({ hash, sum }) => ({ hash, sum: BigInt(sum) })),
      )
    }
  }
  for (const { leaves, root, proofs } of vectors.setTree) {
    const tree = setTree(leaves)
    assert.equal(tree.root, root)
    for (const { index, proof } of proofs) assert.deepEqual(tree.proof(index), proof)
  }
})

test('draws the same committees, onions, beacons and folds [C-06]', () => {
  for (const { seed, n, size, members } of vectors.committee) assert.deepEqual(drawCommittee(seed, n, size), members)
  for (const { secret, rounds, head, reveals } of vectors.onion) {
    assert.deepEqual(onionLayers(fromHex(secret), rounds).map(toHex), [head, ...reveals])
  }
  for (const { jobId, round, previous, reveals, beacon } of vectors.beacon) {
    assert.equal(drawBeacon(BigInt(jobId), round, previous, reveals), beacon)
    assert.equal(drawBeacon(BigInt(jobId), round, previous, reveals.toReversed()), beacon)
  }
  const { first, direct, skipped } = vectors.round
  for (const { blockHash, jobId, beacon } of first) assert.equal(firstBeacon(blockHash, BigInt(jobId)), beacon)
  for (const { before, worker, commitHash, hash } of direct) assert.equal(foldDirect(before, worker, commitHash), hash)
  assert.equal(direct[0]?.before, NO_DIRECT_CLAIMS)
  for (const { seed, attempt, next } of skipped) assert.equal(nextCommitteeSeed(seed, attempt), next)
})

test('hashes what Jobs judges and what witnesses sign', () => {
  const { domain, claims, proposals, attestations, tasks } = vectors.jobs
  assert.deepEqual(jobsDomain(domain.chainId, domain.verifyingContract), domain)
  for (const { jobId, round, claim, hash } of claims) {
    assert.equal(claimLeafHash(BigInt(jobId), round, { ...claim, units: Number(claim.units) }), hash)
  }
  for (const { jobId, round, proposal, hash } of proposals) {
    const given = { ...proposal, payoutTotal: BigInt(proposal.payoutTotal) }
    assert.equal(proposalHash(BigInt(jobId), round, given), hash)
  }
  for (const { message, digest } of attestations) {
    assert.equal(toHex(attestationDigest(domain, { ...message, jobId: BigInt(message.jobId) })), digest)
  }
  for (const { jobId, role, task } of tasks) assert.equal(bondTask(domain.verifyingContract, BigInt(jobId), role), task)
})

test('hashes channels, allocations, vouchers and closings [C-61]', () => {
  const { domain, ids, allocations, vouchers, closes } = vectors.channels
  assert.deepEqual(channelsDomain(domain.chainId, domain.verifyingContract), domain)
  for (const { config, channelId } of ids) {
    assert.equal(channelIdOf(domain.chainId, domain.verifyingContract, config), channelId)
  }
  for (const { allocation, hash } of allocations) {
    assert.equal(allocationHash({ ...allocation, version: Number(allocation.version) }), hash)
  }
  for (const { message, digest } of vouchers) {
    const voucher = { ...message, from: BigInt(message.from), cumulative: BigInt(message.cumulative) }
    assert.equal(toHex(voucherDigest(domain, voucher)), digest)
  }
  for (const { message, digest } of closes) {
    const { channelId, deposited, claimed, validUntil } = message
    const amounts = { deposited: BigInt(deposited), claimed: BigInt(claimed), validUntil: BigInt(validUntil) }
    assert.equal(toHex(closeDigest(domain, { channelId, ...amounts })), digest)
  }
})
