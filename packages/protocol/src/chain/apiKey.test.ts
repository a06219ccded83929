import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeApiKey, encodeApiKey } from './apiKey.ts'

const parts = {
  channelId: `0x${'ab'.repeat(32)}`,
  lane: 0x01_02_03_fe,
  secret: new Uint8Array(32).fill(7),
} as const

test('reads back the parts of an API key [P-62]', () => {
  const key = encodeApiKey(parts)
  assert.match(key, /^plk_[A-Za-z0-9_-]{98}$/)
  assert.deepEqual(decodeApiKey(key), parts)
  const last = { ...parts, lane: 0xffff_ffff }
  assert.deepEqual(decodeApiKey(encodeApiKey(last)), last)
})

test('refuses every key with one character changed, cut or added, and never repeats it [P-62]', () => {
  const key = encodeApiKey(parts)
  for (let i = 0; i < key.length; i++) {
    const other = key[i] === 'A' ? 'B' : 'A'
    const wrong = key.slice(0, i) + other + key.slice(i + 1)
    // The last character carries bits that belong to no byte: some of its values mean the same.
    if (i === key.length - 1) continue
    assert.throws(() => decodeApiKey(wrong), { code: 'BAD_API_KEY' }, `character ${i}`)
  }
  for (const wrong of [
    '',
    'plk_',
    'sk-123',
    key.slice(0, -1),
    `${key}A`,
    `${key}=`,
    ` ${key}`,
    'plk_ü'.padEnd(102, 'A'),
  ]) {
    assert.throws(
      () => decodeApiKey(wrong),
      (error: Error) => !wrong || !error.message.includes(wrong.slice(4, 40) || '§'),
    )
    assert.throws(() => decodeApiKey(wrong), { code: 'BAD_API_KEY' })
  }
})

test('refuses parts of the wrong size', () => {
  assert.throws(() => encodeApiKey({ ...parts, lane: 0 }), { code: 'BAD_API_KEY_PARTS' })
  assert.throws(() => encodeApiKey({ ...parts, lane: 4_294_967_296 }), { code: 'BAD_API_KEY_PARTS' })
  assert.throws(() => encodeApiKey({ ...parts, secret: new Uint8Array(31) }), { code: 'BAD_API_KEY_PARTS' })
})
