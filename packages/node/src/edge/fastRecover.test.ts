import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recoverSigner, sha256, signDigest, utf8 } from '@potluck/protocol'
import { fastRecover } from './fastRecover.ts'

const secret = sha256(utf8('a key'))

test('finds the same signer as the protocol for a hundred messages', () => {
  for (let i = 0; i < 100; i++) {
    const digest = sha256(utf8(`message ${i}`))
    const signature = signDigest(digest, secret)
    assert.equal(fastRecover(digest, signature), recoverSigner(digest, signature))
  }
})

test('refuses what the protocol refuses: wrong length, wrong v, high s, zeros', () => {
  const digest = sha256(utf8('message'))
  const signature = signDigest(digest, secret)
  const changed = (change: (bytes: Uint8Array) => void): Uint8Array => {
    const copy = Uint8Array.from(signature)
    change(copy)
    return copy
  }
  const wrong = [
    signature.subarray(0, 64),
    changed((bytes) => bytes.fill(29, 64)),
    changed((bytes) => bytes.fill(0xff, 32, 64)),
    changed((bytes) => bytes.fill(0, 0, 64)),
  ]
  for (const bytes of wrong) {
    assert.throws(() => recoverSigner(digest, bytes), { code: 'BAD_SIGNATURE' })
    assert.throws(() => fastRecover(digest, bytes), { code: 'BAD_SIGNATURE' })
  }
})
