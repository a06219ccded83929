import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from './bytes.ts'
import { type Kind, messageSchemas } from './messages.ts'

const hash = `0x${'ab'.repeat(32)}` as Hex
const address = `0x${'cd'.repeat(20)}` as Hex
const url = 'http://127.0.0.1:4001'
const place = { job: 1, round: 0 }
const claim = {
  worker: address,
  share: 0,
  baseRoot: hash,
  updateDigest: hash,
  updateRoot: hash,
  statesRoot: hash,
  units: 1,
}

const valid: Record<Kind, object> = {
  hello: { url, roles: 1, peer: '16Uiu2', serves: { url, versions: [1] } },
  beat: { ...place, share: 0, step: 0, steps: 1, lossMilli: 0 },
  commit: { ...place, share: 0, commit: hash },
  close: { ...place, commits: [{ worker: address, share: 0, commit: hash }] },
  claim: { ...place, claim, states: [hash], url, lossMilli: 0 },
  set: { ...place, claims: [claim], states: [[hash]], directHash: hash },
  attest: { ...place, setRoot: hash, count: 1, directHash: hash, signature: `0x${'01'.repeat(65)}` },
  audit: { ...place, claim: hash, worker: address, matches: true, correct: hash, probe: hash },
  maskKey: { ...place, step: 0, attempt: 1, sumAttempt: 0, publicKey: hash },
  masked: { ...place, step: 0, attempt: 1, vector: new Uint8Array(8) },
  receipts: { digest: hash, count: 1, url },
}
const takes = (kind: Kind, body: unknown): boolean => messageSchemas[kind].safeParse(body).success

test('takes one good body of each kind, and none with a field more or less [P-40]', () => {
  for (const [kind, body] of Object.entries(valid) as [Kind, object][]) {
    assert.ok(takes(kind, body), kind)
    assert.ok(!takes(kind, { ...body, more: 1 }), `${kind} with one more field`)
    for (const field of Object.keys(body)) {
      assert.ok(!takes(kind, { ...body, [field]: undefined }), `${kind} without ${field}`)
      assert.ok(!takes(kind, { ...body, [field]: {} }), `${kind} with an object for ${field}`)
    }
  }
})

test('bounds every number, list, text and vector [P-40]', () => {
  const refused: [Kind, object][] = [
    ['hello', { url: 'ftp://host' }],
    ['hello', { url: 'http://host/path' }],
    ['hello', { url: 'http://host?x=1' }],
    ['hello', { url: 'javascript:alert(1)' }],
    ['hello', { url: `http://${'a'.repeat(200)}` }],
    ['hello', { roles: -1 }],
    ['hello', { roles: 4_294_967_296 }],
    ['hello', { peer: 'p'.repeat(101) }],
    ['hello', { serves: { url, versions: [0] } }],
    ['hello', { serves: { url, versions: new Array(1_001).fill(1) } }],
    ['beat', { job: 0 }],
    ['beat', { job: 4_294_967_296 }],
    ['beat', { round: -1 }],
    ['beat', { share: 65_536 }],
    ['beat', { step: 0.5 }],
    ['beat', { steps: 0 }],
    ['beat', { lossMilli: Number.NaN }],
    ['beat', { lossMilli: Number.POSITIVE_INFINITY }],
    ['commit', { commit: hash.toUpperCase() }],
    ['commit', { commit: `${hash}00` }],
    ['commit', { commit: hash.slice(2) }],
    ['close', { commits: Array.from({ length: 513 }, () => ({ worker: address, share: 0, commit: hash })) }],
    ['set', { claims: Array.from({ length: 513 }, () => claim) }],
    ['set', { claims: [{ ...claim, units: -1 }] }],
    ['set', { claims: [{ ...claim, units: 9_007_199_254_740_992 }] }],
    ['attest', { count: 513 }],
    ['attest', { signature: hash }],
    ['audit', { matches: 1 }],
    ['maskKey', { attempt: 0 }],
    ['maskKey', { attempt: 1_001 }],
    ['maskKey', { sumAttempt: -1 }],
    ['maskKey', { group: [0, 2, 1] }],
    ['maskKey', { sum: '0x00' }],
    ['masked', { group: [0, 1] }],
    ['masked', { vector: new Uint8Array(7) }],
    ['masked', { vector: new Uint8Array(32_776) }],
    ['masked', { vector: [0, 0, 0, 0, 0, 0, 0, 0] }],
    ['receipts', { count: 0 }],
    ['receipts', { count: 10_001 }],
  ]
  for (const [kind, change] of refused) {
    assert.ok(!takes(kind, { ...valid[kind], ...change }), `${kind} ${Object.keys(change)}`)
  }
  assert.ok(takes('masked', { ...valid.masked, vector: new Uint8Array(32_768) }))
  assert.ok(takes('masked', { ...valid.masked, group: [0, 2, 3] }))
  assert.ok(takes('maskKey', { ...valid.maskKey, group: [0, 2, 3], sum: hash }))
})
