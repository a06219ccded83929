import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '@ipld/dag-cbor'
import type { Chain, ChainEvent } from '@potluck/chain'
import { addressOfSecret, type Hex, PotluckError, sha256, toHex, utf8 } from '@potluck/protocol'
import { blockCid, digestOf, memoryBlockStore, RAW } from '@potluck/store'
import { Phase } from './JobView.ts'
import { NodeRuntime } from './NodeRuntime.ts'
import type { Ports } from './Ports.ts'

const ZERO: Hex = `0x${'00'.repeat(32)}`
const builder: Hex = `0x${'bb'.repeat(20)}`
const node: Hex = `0x${'aa'.repeat(20)}`
const secret = sha256(utf8('node key'))
const text = utf8('kept in Europe')
const trainCid = blockCid(text, RAW)
const metadata = encode({
  ...{ type: 'asset', name: 'text', kind: 'dataset', description: '', licence: 'x', source: '', size: 14 },
  ...{ unit: 'characters', columns: [], private: false, residency: ['EU'] },
})
const config = { vocabulary: 'Ekeinopru t', context: 4, width: 8, layers: 1, heads: 1, hidden: 8 }
const document = encode({
  ...{ type: 'job', kind: 'language', name: 'job', description: '', workSeconds: 6, silenceSeconds: 3 },
  ...{ trainCid: String(trainCid), validCid: String(trainCid), seed: ZERO, shares: 1, encoding: 'dense4' },
  recipe: {
    ...{ config, batch: 1, steps: 1, learningRate: 0.1, weightDecay: 0, warmupSteps: 0 },
    ...{ beta1: 0.9, beta2: 0.9, epsilon: 1e-8, stateEverySteps: 1 },
  },
  audit: { gainPpm: 0, colludingPpm: 0, auditors: 1, saltPriceE18: '0', newClaims: 0 },
})

/** Everything that a node in `region` did about a job over a text that is kept to the Union: what it sent, fetched and logged. */
async function lookedAt(region: string | undefined, phase: number, isMember = false) {
  const did: string[] = []
  const happened = [
    ['assets', 'VersionAdded', { version: 1n, assetId: 1n, terms: versionTerms }],
    ['jobs', 'JobCreated', { jobId: 1n, builder }],
    ...(isMember ? [['jobs', 'Enrolled', { jobId: 1n, node, role: 1, index: 0 }] as const] : []),
  ] as const
  const chain = {
    deployment: { name: 'test', chainId: 1, block: 1, contracts: { jobs: builder } },
    blockNumber: async () => 5n,
    events: async () => happened.map(([contract, name, args]) => ({ contract, name, args }) as unknown as ChainEvent),
    read: {
      jobs: {
        status: async () => ({ phase, round: 0 }),
        termsOf: async () => ({
          specDigest: toHex(sha256(document)),
          purpose: 1,
          dataVersions: [1n],
          rounds: 3,
          trustClass: 0,
        }),
      },
    },
    send: async (_contract: string, name: string) => did.push(name),
  } as unknown as Chain
  const blocks = [document, metadata]
  const ports: Ports = {
    clock: { nowMs: () => 1_000_000, sleep: () => Promise.resolve() },
    random: (bytes) => new Uint8Array(bytes),
    publish: () => Promise.resolve(),
    chain,
    store: memoryBlockStore(),
    fetch: async (digest) => {
      const found = blocks.find((bytes) => toHex(sha256(bytes)) === digest)
      if (!found) throw new PotluckError('NOT_FOUND', 'not here')
      return found
    },
    fetchFile: async () => {
      did.push('fetch the text')
      return text
    },
    disk: { get: () => undefined, set: () => undefined, delete: () => undefined, keys: () => [] },
    log: (level, event, facts) => level === 'warn' && did.push(`${event}: ${facts?.why}`),
    signal: new AbortController().signal,
  }
  const identity = { node, secret, key: addressOfSecret(secret), url: 'http://node.test', roles: 1, region }
  const runtime = new NodeRuntime(ports, identity, {
    ...{ roles: [{ tick: async () => undefined }], chores: [], peer: '' },
    programOf: async () => {
      await ports.fetchFile(String(trainCid), [])
      throw new PotluckError('STOP', 'far enough')
    },
  })
  for (let looks = 0; looks < 2; looks++) await runtime.tick()
  return did
}

const versionTerms = {
  parents: [],
  digest: toHex(digestOf(trainCid)),
  metadataDigest: toHex(sha256(metadata)),
}

test('a node where the data may be worked on enrols [P-55]', async () => {
  assert.deepEqual(await lookedAt('FR', Phase.enrolling), ['enrol'])
})

test('a node elsewhere, or that does not say where it is, stays out and says why once [P-55]', async () => {
  for (const region of ['US', undefined]) {
    const did = await lookedAt(region, Phase.enrolling)
    assert.equal(did.length, 1, did.join('; '))
    assert.match(did[0] ?? '', /job refused: P-55: version 1 may be worked on in EU only/)
  }
})

test('a member that is elsewhere by now no longer fetches the text [P-55]', async () => {
  assert.ok((await lookedAt('FR', Phase.open, true)).includes('fetch the text'))
  assert.ok(!(await lookedAt('US', Phase.open, true)).includes('fetch the text'))
})

test('a free worker joins a job that is under way [P-56]', async () => {
  assert.deepEqual(await lookedAt('FR', Phase.open), ['enrol'])
  assert.deepEqual(await lookedAt('FR', Phase.done), [])
})
