import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOfSecret, recoverSigner, sha256, signDigest, utf8 } from '@potluck/protocol'
import type { Compression } from './Compression.ts'
import { compressUpdate } from './compressUpdate.ts'
import { feedbackHash } from './feedback.ts'
import { openUpdateMessage, readUpdateHeader, UPDATE_FRAME_BYTES, writeUpdateMessage } from './updateMessage.ts'

const secret = sha256(utf8('worker'))
const base = sha256(utf8('model'))
const compression: Compression = { kind: 'topk', keep: 2, feedback: 8 }
const packed = compressUpdate(Float32Array.of(1, -2, 3, 0.5, 0.25), undefined, compression)
const header = {
  job: 7,
  round: 3,
  base,
  client: addressOfSecret(secret),
  length: 5,
  feedback: feedbackHash(packed.residual, compression),
}
const sign = (digest: Uint8Array): Uint8Array => signDigest(digest, secret)
const message = writeUpdateMessage(header, packed.bytes, sign)
const expected = { job: 7, round: 3, base, length: 5, compression }

test('a message brings its header and update back, and adds 166 bytes [L-27]', () => {
  const opened = openUpdateMessage(message, expected, recoverSigner)
  assert.deepEqual(opened.header, header)
  assert.deepEqual(opened.update, packed.update)
  assert.equal(message.length, packed.bytes.length + UPDATE_FRAME_BYTES)
  assert.equal(UPDATE_FRAME_BYTES, 166)
})

test('an update for another job, round, base or length is refused before its signature is looked at [L-27]', () => {
  const never = (): never => assert.fail('the signature was recovered')
  const refuses = (change: object, code: string): void =>
    assert.throws(() => openUpdateMessage(message, { ...expected, ...change }, never), { code })
  refuses({ job: 8 }, 'WRONG_JOB')
  refuses({ round: 4 }, 'WRONG_ROUND')
  refuses({ base: sha256(utf8('another model')) }, 'BASE_MISMATCH')
  refuses({ length: 6 }, 'WRONG_LENGTH')
})

test('a message signed by someone else than it names is refused [L-27]', () => {
  const forged = writeUpdateMessage(header, packed.bytes, (digest) => signDigest(digest, sha256(utf8('another'))))
  assert.throws(() => openUpdateMessage(forged, expected, recoverSigner), { code: 'WRONG_SIGNER' })
})

test('no byte of a message can be changed [L-27]', () => {
  for (let i = 0; i < message.length; i++) {
    const changed = message.slice()
    changed[i]! ^= 1
    assert.throws(() => openUpdateMessage(changed, expected, recoverSigner), { name: 'PotluckError' }, `byte ${i}`)
  }
})

test('a message that is cut, lengthened or of another version is refused by its header [L-27]', () => {
  assert.throws(() => readUpdateHeader(message.subarray(0, 100)), { code: 'TRUNCATED_UPDATE' })
  assert.throws(() => readUpdateHeader(message.subarray(0, -1)), { code: 'TRUNCATED_UPDATE' })
  assert.throws(() => readUpdateHeader(Uint8Array.of(...message, 0)), { code: 'TRAILING_BYTES' })
  assert.throws(() => readUpdateHeader(Uint8Array.of(2, ...message.subarray(1))), { code: 'WRONG_VERSION' })
})

test('the digest tells two messages of one worker and round apart', () => {
  const other = writeUpdateMessage(header, compressUpdate(new Float32Array(5), undefined, compression).bytes, sign)
  const [a, b] = [message, other].map((bytes) => openUpdateMessage(bytes, expected, recoverSigner).digest)
  assert.notDeepEqual(a, b)
})

test('the hash of the feedback is that of its bytes, and zeros where there is none [L-26]', () => {
  assert.notDeepEqual(header.feedback, new Uint8Array(32))
  assert.deepEqual(feedbackHash(packed.residual!.slice(), compression), header.feedback)
  const changed = packed.residual!.slice()
  changed[0]! += 1
  assert.notDeepEqual(feedbackHash(changed, compression), header.feedback)
  assert.deepEqual(feedbackHash(undefined, compression), new Uint8Array(32))
  assert.deepEqual(feedbackHash(packed.residual, { kind: 'f32' }), new Uint8Array(32))
})

test('a header that does not fit its fields is not written', () => {
  const refuses = (change: object, field: string): void =>
    assert.throws(() => writeUpdateMessage({ ...header, ...change }, packed.bytes, sign), {
      code: 'BAD_FIELD',
      facts: { field },
    })
  refuses({ base: base.subarray(1) }, 'base')
  refuses({ feedback: new Uint8Array(0) }, 'feedback')
  refuses({ client: '0x00' }, 'client')
  refuses({ round: -1 }, 'round')
  refuses({ job: 4_294_967_296 }, 'job')
})
