import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Chain } from '@potluck/chain'
import {
  type Claim,
  claimLeafHash,
  fromHex,
  type Hex,
  LEAF_BYTES,
  merkleRootOfBytes,
  sha256,
  toHex,
  verifyMerkleProof,
} from '@potluck/protocol'
import { Directory } from '../Directory.ts'
import { Inbox, type Known } from '../Inbox.ts'
import type { JobFacts } from '../JobFacts.ts'
import type { JobView } from '../JobView.ts'
import { createLeafShower } from './leafShower.ts'

const address = (byte: string): Hex => `0x${byte.repeat(20)}`
const [worker, validator, stranger] = [address('11'), address('22'), address('33')]
const update = Uint8Array.from({ length: 2 * LEAF_BYTES + 100 }, (_, i) => (i * 7) % 251)
const claim: Claim = {
  worker,
  share: 0,
  baseRoot: `0x${'aa'.repeat(32)}`,
  updateDigest: toHex(sha256(update)),
  updateRoot: toHex(merkleRootOfBytes(update)),
  statesRoot: `0x${'bb'.repeat(32)}`,
  units: 1,
}

type Shown = { demand: bigint; leaf: Hex; proof: Hex[] }

/** A node that heard the claim, and what it sends when leaf 2 is demanded. */
function nodeOf(node: Hex, subject = claimLeafHash(1, 0, claim)) {
  const sent: Shown[] = []
  const inbox = new Inbox()
  const body = { job: 1, round: 0, claim, states: [], url: 'http://worker.test', lossMilli: 0 }
  inbox.enter(1, 0)
  inbox.add({ kind: 'claim', body, node: worker, from: worker, atMs: 0, seenMs: 0, id: '0x', bytes: update } as Known)
  const demands = new Map([[5, { subject, leafIndex: 2 }]])
  const facts = { validators: [validator], witnesses: [] as Hex[], demands } as Partial<JobFacts> as JobFacts
  const chain = {
    send: async (_contract: string, _name: string, [demand, leaf, proof]: [bigint, Hex, Hex[]]) => {
      sent.push({ demand, leaf, proof })
    },
  } as Partial<Record<keyof Chain, unknown>> as Chain
  const ports = {
    chain,
    fetch: async () => update,
    disk: { get: () => undefined, set: () => undefined, delete: () => undefined, keys: () => [] as string[] },
  } as Partial<JobView['ports']> as JobView['ports']
  const view = {
    ...{ job: 1, round: 0, facts, inbox, ports, nowMs: 0, directory: new Directory(), baseRoot: claim.baseRoot },
    identity: { node },
    program: { isExact: true, refuseUpdate: () => undefined, tensorOf: (bytes: Uint8Array) => bytes },
    sources: () => [] as string[],
    act: async (_what: string, send: () => Promise<unknown>) => {
      await send()
      return true
    },
  } as Partial<Record<keyof JobView, unknown>> as JobView
  return { sent, view, role: createLeafShower() }
}

test('a worker shows a demanded leaf at once, with its path to the claimed root [D-21]', async () => {
  const { sent, view, role } = nodeOf(worker)
  await role.tick(view)
  const [shown] = sent
  assert.equal(shown?.demand, 5n)
  const leaf = fromHex(shown?.leaf ?? '0x')
  assert.deepEqual(leaf, update.subarray(2 * LEAF_BYTES))
  assert.ok(verifyMerkleProof(fromHex(claim.updateRoot), leaf, 2, 3, (shown?.proof ?? []).map(fromHex)))
})

test('whoever heard the claim shows it when the worker is silent, and nobody else does [D-21]', async () => {
  const { sent, view, role } = nodeOf(validator)
  await role.tick(view)
  assert.equal(sent.length, 0)
  await role.tick({ ...view, nowMs: 2_000 })
  assert.equal(sent.length, 1)
  for (const other of [nodeOf(stranger), nodeOf(worker, `0x${'cc'.repeat(32)}`)]) {
    await other.role.tick(other.view)
    await other.role.tick({ ...other.view, nowMs: 60_000 })
    assert.equal(other.sent.length, 0)
  }
})
