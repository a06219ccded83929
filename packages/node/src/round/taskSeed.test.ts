import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abiEncode, concatBytes, fromHex, type Hex, sha256, toHex, utf8 } from '@potluck/protocol'
import { Inbox, type Known } from '../Inbox.ts'
import { commitHash, referenceSeed, scoreSeed, taskSeed } from './taskSeed.ts'

const worker: Hex = `0x${'11'.repeat(20)}`
const other: Hex = `0x${'22'.repeat(20)}`
const seed: Hex = `0x${'33'.repeat(32)}`
const digest: Hex = `0x${'44'.repeat(32)}`

test('gives every job, round, share and worker randomness of its own [P-42]', () => {
  const seeds = [
    taskSeed(seed, 1, 2, worker),
    taskSeed(seed, 1, 2, other),
    taskSeed(seed, 2, 1, worker),
    taskSeed(seed, 1, 3, worker),
    taskSeed(digest, 1, 2, worker),
    referenceSeed(seed, 1),
    referenceSeed(seed, 2),
    referenceSeed(digest, 1),
    scoreSeed(seed, 1),
    scoreSeed(seed, 2),
    scoreSeed(digest, 1),
  ].map(toHex)
  assert.equal(new Set(seeds).size, seeds.length)
  const written = concatBytes(utf8('potluck task'), fromHex(seed), abiEncode(1, 2, worker))
  assert.deepEqual(taskSeed(seed, 1, 2, worker), sha256(written))
  assert.deepEqual(referenceSeed(seed, 1), sha256(concatBytes(utf8('potluck reference'), fromHex(seed), abiEncode(1))))
  assert.deepEqual(scoreSeed(seed, 1), sha256(concatBytes(utf8('potluck score'), fromHex(seed), abiEncode(1))))
})

test('binds a commit to job, round, share, worker and update [P-43]', () => {
  const commits = [
    commitHash(1, 2, 3, worker, digest),
    commitHash(2, 1, 3, worker, digest),
    commitHash(1, 3, 2, worker, digest),
    commitHash(1, 2, 3, other, digest),
    commitHash(1, 2, 3, worker, seed),
  ].map(toHex)
  assert.equal(new Set(commits).size, commits.length)
  assert.deepEqual(
    commitHash(1, 2, 3, worker, digest),
    sha256(concatBytes(utf8('potluck commit'), abiEncode(1, 2, 3, worker, digest))),
  )
})

const heard = (node: Hex, commit: Hex, atMs: number, share = 0): Known =>
  ({
    kind: 'commit',
    body: { job: 1, round: 0, share, commit },
    node,
    from: node,
    atMs,
    seenMs: atMs,
    id: digest,
    bytes: new Uint8Array(),
  }) as Known

test('keeps the first commit of a worker for a share, whatever it says later [P-43]', () => {
  const inbox = new Inbox()
  assert.ok(inbox.add(heard(worker, seed, 1)))
  assert.ok(!inbox.add(heard(worker, digest, 2)))
  assert.ok(inbox.add(heard(worker, digest, 2, 1)), 'another share')
  assert.ok(inbox.add(heard(other, digest, 2)), 'another worker')
  const kept = inbox.of('commit', 1, 0).map(({ node, body }) => [node, body.share, body.commit])
  assert.deepEqual(kept, [
    [worker, 0, seed],
    [worker, 1, digest],
    [other, 0, digest],
  ])
})

test('keeps of one sender no more than a round can need, and nothing of rounds long past [P-43]', () => {
  const inbox = new Inbox()
  const kept = Array.from({ length: 1_000 }, (_, share) => inbox.add(heard(worker, seed, 1, share))).filter(Boolean)
  assert.equal(kept.length, 600)
  assert.ok(inbox.add(heard(other, seed, 1)), 'a flood of one keeps nobody else out')
  inbox.enter(1, 3)
  assert.deepEqual(inbox.of('commit', 1, 0), [])
  assert.ok(!inbox.add(heard(worker, seed, 2)))
})
