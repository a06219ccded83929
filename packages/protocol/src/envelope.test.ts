import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode } from '@ipld/dag-cbor'
import { concatBytes, fromHex, type Hex, utf8 } from './bytes.ts'
import { MAX_CLOCK_SKEW_MS, MAX_MESSAGE_BYTES, type Opened, openMessage, sealMessage } from './envelope.ts'
import type { Message } from './messages.ts'
import { addressOfSecret } from './signature.ts'

const network = 'potluck-31337-abc'
const secret = new Uint8Array(32).fill(7)
const nowMs = 1_700_000_000_000
const hash = (byte: string): Hex => `0x${byte.repeat(32)}`
const beat: Message = { kind: 'beat', body: { job: 1, round: 0, share: 2, step: 3, steps: 30, lossMilli: 4_170 } }
const sealed = sealMessage(network, beat, nowMs, secret)

const open = (bytes: Uint8Array, at = nowMs): Opened => openMessage(network, bytes, at)
/** What became of it, in two words. */
const outcome = (bytes: Uint8Array, at = nowMs): string => {
  const opened = open(bytes, at)
  return opened.ok ? 'accept' : `${opened.action} ${opened.rule}`
}
type Envelope = {
  v: number
  network: string
  kind: string
  body: Record<string, unknown>
  atMs: number
  signature: Hex
}
const changed = (change: (envelope: Envelope) => unknown): Uint8Array => {
  return encode(change(decode<Envelope>(sealed)))
}

test('opens what was sealed, with its signer and nothing lost [P-07]', () => {
  const opened = open(sealed)
  assert.ok(opened.ok)
  assert.equal(opened.message.from, addressOfSecret(secret))
  assert.deepEqual([opened.message.kind, opened.message.body, opened.message.atMs], [beat.kind, beat.body, nowMs])
})

test('rejects a message one byte too large before reading it, and refuses to seal one [P-02]', () => {
  assert.equal(outcome(new Uint8Array(MAX_MESSAGE_BYTES + 1)), 'reject P-02')
  assert.equal(outcome(new Uint8Array(MAX_MESSAGE_BYTES)), 'reject P-03')
  const claim = {
    worker: `0x${'11'.repeat(20)}` as Hex,
    share: 0,
    baseRoot: hash('01'),
    updateDigest: hash('02'),
    updateRoot: hash('03'),
    statesRoot: hash('04'),
    units: 1,
  }
  const body = {
    job: 1,
    round: 0,
    claims: Array.from({ length: 512 }, () => claim),
    states: [],
    directHash: hash('00'),
  }
  assert.throws(() => sealMessage(network, { kind: 'set', body }, nowMs, secret), { code: 'MESSAGE_TOO_LARGE' })
})

test('rejects garbage, cut, trailing and non-canonical bytes without throwing [P-03]', () => {
  const garbage = [
    new Uint8Array(),
    utf8('GET / HTTP/1.1\r\n\r\n'),
    utf8('{"v":1}'),
    sealed.subarray(0, sealed.length - 1),
    concatBytes(sealed, Uint8Array.of(0)),
    Uint8Array.of(0xbf, 0xff), // a map of indefinite length
    Uint8Array.of(0x9f, 0xff), // a list of indefinite length
    Uint8Array.of(0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02), // a key twice
    Uint8Array.of(0xc0, 0x60), // a tag that is no link
    Uint8Array.of(0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0), // NaN
    Uint8Array.of(0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), // a list of 2^64 - 1
  ]
  for (const bytes of garbage) assert.equal(outcome(bytes), 'reject P-03', Buffer.from(bytes).toString('hex'))
  // Every single byte changed, in turn: never accepted, never thrown.
  for (let i = 0; i < sealed.length; i++) {
    const bytes = Uint8Array.from(sealed)
    bytes[i] = (bytes[i] as number) ^ 0x41
    const opened = open(bytes)
    assert.ok(!opened.ok || opened.message.from !== addressOfSecret(secret), `byte ${i}`)
  }
})

test('rejects fields that are missing, too many or out of bounds; ignores kinds it does not know [P-04]', () => {
  const rejected: ((envelope: Envelope) => unknown)[] = [
    (envelope) => ({ ...envelope, more: 1 }),
    ({ signature, ...rest }) => rest,
    (envelope) => ({ ...envelope, v: 2 }),
    (envelope) => ({ ...envelope, atMs: 1.5 }),
    (envelope) => ({ ...envelope, atMs: -1 }),
    (envelope) => ({ ...envelope, signature: '0x00' }),
    (envelope) => ({ ...envelope, network: 'n'.repeat(65) }),
    (envelope) => ({ ...envelope, body: { ...envelope.body, more: 1 } }),
    (envelope) => ({ ...envelope, body: { ...envelope.body, share: 65_536 } }),
    (envelope) => ({ ...envelope, body: { ...envelope.body, job: 0 } }),
    (envelope) => ({ ...envelope, body: { ...envelope.body, job: '1' } }),
    (envelope) => ({ ...envelope, body: null }),
    () => [],
    () => 'text',
    () => null,
  ]
  for (const change of rejected) assert.equal(outcome(changed(change)), 'reject P-04', String(change))
  for (const kind of ['gossip', 'constructor', '__proto__', 'toString']) {
    assert.equal(outcome(changed((envelope) => ({ ...envelope, kind }))), 'ignore P-04')
  }
})

test('ignores the traffic of another network, and keeps nobody from passing it off as ours [P-05]', () => {
  const foreign = sealMessage('other', beat, nowMs, secret)
  assert.equal(outcome(foreign), 'ignore P-05')
  const relabelled = open(encode({ ...decode<Envelope>(foreign), network }))
  assert.ok(!relabelled.ok || relabelled.message.from !== addressOfSecret(secret))
})

test('ignores what is older or newer than a minute, and takes what is exactly a minute off [P-06]', () => {
  for (const way of [1, -1]) {
    assert.equal(outcome(sealed, nowMs + way * MAX_CLOCK_SKEW_MS), 'accept')
    assert.equal(outcome(sealed, nowMs + way * (MAX_CLOCK_SKEW_MS + 1)), 'ignore P-06')
  }
  // A stale message with a fresh time has another signer.
  const later = nowMs + 10 * MAX_CLOCK_SKEW_MS
  const refreshed = openMessage(
    network,
    changed((envelope) => ({ ...envelope, atMs: later })),
    later,
  )
  assert.ok(!refreshed.ok || refreshed.message.from !== addressOfSecret(secret))
})

test('rejects a signature that is nobody’s, and gives a changed body another signer [P-07]', () => {
  const signature = decode<Envelope>(sealed).signature
  const bytes = fromHex(signature)
  const s = BigInt(`0x${signature.slice(66, 130)}`)
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const highS = `${signature.slice(0, 66)}${(order - s).toString(16).padStart(64, '0')}${bytes[64] === 27 ? '1c' : '1b'}`
  const nobodys = [
    `0x${'00'.repeat(65)}`,
    `0x${'ff'.repeat(65)}`,
    `${signature.slice(0, -2)}1d`, // v = 29
    `${signature.slice(0, -2)}00`,
    highS, // the same signature again under another id
  ]
  for (const wrong of nobodys) {
    assert.equal(outcome(changed((envelope) => ({ ...envelope, signature: wrong }))), 'reject P-07', wrong)
  }
  const moved = open(changed((envelope) => ({ ...envelope, body: { ...envelope.body, share: 3 } })))
  assert.ok(!moved.ok || moved.message.from !== addressOfSecret(secret))
})
