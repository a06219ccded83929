/** One committee member, and sets that others ask it to sign. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Chain } from '@potluck/chain'
import {
  addressOfSecret,
  type Body,
  type Claim,
  claimLeafHash,
  type Hex,
  jobsDomain,
  type Message,
  merkleRootOfBytes,
  setTree,
  sha256,
  type TabularJob,
  toHex,
  utf8,
} from '@potluck/protocol'
import { memoryBlockStore } from '@potluck/store'
import { Directory } from '../Directory.ts'
import { Inbox, type Known } from '../Inbox.ts'
import { type JobStatus, type JobTerms, type JobView, Phase } from '../JobView.ts'
import { Outbox } from '../Outbox.ts'
import type { Identity, Ports } from '../Ports.ts'
import { createWitness } from '../roles/witness.ts'
import { commitHash } from './taskSeed.ts'

const nowMs = 1_700_000_000_000
const ZERO: Hex = `0x${'00'.repeat(32)}`
const empty = new Uint8Array()
const identity = (name: string): Identity => {
  const secret = sha256(utf8(name))
  const node = addressOfSecret(secret)
  return { node, secret, key: node, url: 'http://127.0.0.1:4000', roles: 4 }
}
const [self, other, outsider] = ['self', 'other', 'outsider'].map(identity) as [Identity, Identity, Identity]
const workers = ['w0', 'w1', 'w2'].map((name) => identity(name).node)
const updateOf = (share: number): Uint8Array => utf8(`update ${share}`)
const claimOf = (share: number): Claim => ({
  worker: workers[share] as Hex,
  share,
  baseRoot: ZERO,
  updateDigest: toHex(sha256(updateOf(share))),
  updateRoot: toHex(merkleRootOfBytes(updateOf(share))),
  statesRoot: ZERO,
  units: 1,
})
/** Only what the role reads of a job's document. */
const document = { kind: 'tabular', workSeconds: 1_000, silenceSeconds: 5 } as TabularJob

/** A witness that was shown these claims; `missing` updates cannot be fetched. */
class Witness {
  readonly inbox = new Inbox()
  readonly said: Message[] = []
  readonly view: JobView
  readonly #role = createWitness()

  constructor(shown: readonly Claim[], missing: readonly Hex[] = []) {
    const ports: Ports = {
      clock: { nowMs: () => nowMs, sleep: () => Promise.resolve() },
      random: (bytes) => new Uint8Array(bytes),
      publish: () => Promise.resolve(),
      chain: {} as Chain,
      store: memoryBlockStore(),
      fetch: async (digest) => {
        const update = [0, 1, 2].map(updateOf).find((bytes) => toHex(sha256(bytes)) === digest)
        if (!update || missing.includes(digest)) throw new Error('not here')
        return update
      },
      fetchFile: () => Promise.reject(new Error('no file is needed here')),
      disk: { get: () => undefined, set: () => undefined, delete: () => undefined, keys: () => [] },
      log: () => undefined,
      signal: new AbortController().signal,
    }
    this.view = {
      ports,
      identity: self,
      inbox: this.inbox,
      outbox: new Outbox(ports, self, 'test', (message) => this.said.push(message)),
      directory: new Directory(),
      jobsDomain: jobsDomain(1, `0x${'11'.repeat(20)}`),
      job: 1,
      facts: {
        job: 1,
        builder: ZERO,
        workers,
        validators: [],
        witnesses: [self.node, other.node],
        expelled: new Set(),
        disputes: new Map(),
        demands: new Map(),
        due: workers,
        finalAuditRoot: null,
        isOver: false,
      },
      status: { phase: Phase.open, attempt: 1, openedAt: BigInt(nowMs / 1000), directHash: ZERO } as JobStatus,
      terms: { quorum: 2, fixSeconds: 1_000 } as JobTerms,
      document,
      program: {
        shares: 3,
        units: 1,
        steps: 1,
        states: 0,
        isExact: true,
        work: () => Promise.reject(new Error('not asked for')),
        refuseUpdate: () => undefined,
        tensorOf: (update) => update,
        aggregate: () => Promise.reject(new Error('not asked for')),
      },
      residencies: new Map(),
      round: 0,
      committee: [other.node, self.node],
      assignment: workers.map((_, share) => workers.map((_, i) => workers[(share + i) % 3] as Hex)),
      nowMs,
      blockNumber: 1n,
      baseDigest: ZERO,
      baseRoot: ZERO,
      baseState: () => Promise.resolve(empty),
      sources: () => [],
      act: () => Promise.resolve(false),
    }
    for (const claim of shown) {
      const commit = toHex(commitHash(1, 0, claim.share, claim.worker, claim.updateDigest))
      this.hear(claim.worker, { kind: 'commit', body: { job: 1, round: 0, share: claim.share, commit } })
      this.hear(claim.worker, {
        kind: 'claim',
        body: { job: 1, round: 0, claim, states: [], url: self.url, lossMilli: 0 },
      })
    }
  }

  hear(node: Hex, message: Message): void {
    this.inbox.add({ ...message, node, from: node, atMs: nowMs, seenMs: nowMs, id: ZERO, bytes: empty } as Known)
  }

  /** Roots it signs when `from` asks it to sign these claims. */
  async signs(claims: readonly Claim[], from: Hex = other.node, directHash: Hex = ZERO): Promise<Hex[]> {
    const body: Body<'set'> = { job: 1, round: 0, claims: [...claims], states: [], directHash }
    this.hear(from, { kind: 'set', body })
    await this.#role.tick(this.view)
    return this.said.flatMap(({ kind, body }) => (kind === 'attest' ? [body.setRoot] : []))
  }
}

const all = [0, 1, 2].map(claimOf)
const rootOf = (claims: readonly Claim[]): Hex => setTree(claims.map((claim) => claimLeafHash(1, 0, claim))).root

test('signs a set of which it holds every update, and a part of it too [P-49]', async () => {
  assert.deepEqual(await new Witness(all).signs(all), [rootOf(all)])
  assert.deepEqual(await new Witness(all).signs(all.slice(1)), [rootOf(all.slice(1))])
})

test('signs no set with an update it cannot get or was never shown [P-49]', async () => {
  const [first] = all as [Claim]
  assert.deepEqual(await new Witness(all, [first.updateDigest]).signs(all), [])
  assert.deepEqual(await new Witness(all.slice(1)).signs(all), [])
  const forged = { ...first, updateRoot: `0x${'ee'.repeat(32)}` as Hex }
  assert.deepEqual(await new Witness([forged, ...all.slice(1)]).signs([forged, ...all.slice(1)]), [])
})

test('signs no empty set, none out of order, and none that counts a share twice [P-49]', async () => {
  assert.deepEqual(await new Witness(all).signs([]), [])
  assert.deepEqual(await new Witness(all).signs([...all].reverse()), [])
  const [first, second] = all as [Claim, Claim]
  assert.deepEqual(await new Witness(all).signs([first, first, second]), [])
})

test('signs nothing for someone outside the committee, or against claims posted on the chain [P-49]', async () => {
  assert.deepEqual(await new Witness(all).signs(all, outsider.node), [])
  assert.deepEqual(await new Witness(all).signs(all, other.node, `0x${'77'.repeat(32)}`), [])
})
