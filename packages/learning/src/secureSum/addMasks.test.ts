import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { sha256, toHex, utf8 } from '@potluck/protocol'
import { addMasksPlainly, loadAddMasks, type Mask } from './addMasks.ts'
import { chachaBytes } from './chacha.ts'
import { type RingBits, ringFromBytes, ringWords } from './ring.ts'
import { wordStream } from './wordStream.ts'

const keyOf = (name: string): Uint8Array => sha256(utf8(name))
const bitsOf: readonly RingBits[] = [16, 32, 64]

test('gives the published ChaCha20, ChaCha12 and ChaCha8 streams of the zero key [L-41]', () => {
  const zero = new Uint8Array(32)
  // RFC 8439, appendix A.1, vectors 1 and 2.
  assert.equal(
    toHex(chachaBytes(zero, 20, 128)),
    '0x76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586' +
      '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
  )
  // draft-strombergson-chacha-test-vectors, TC1, 256-bit key, 12 rounds.
  assert.equal(
    toHex(chachaBytes(zero, 12, 64)),
    '0x9bf49a6a0755f953811fce125f2683d50429c3bb49e074147e0089a52eae155f0564f879d27ae3c02ce82834acfa8c793a629f2ca0de6919610be82f411326be',
  )
  assert.equal(
    toHex(chachaBytes(zero, 8, 64)),
    '0x3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42',
  )
})

test('makes the stream another library makes, across thousands of blocks [L-41]', async () => {
  const key = keyOf('stream')
  const length = 70_000
  const cipher = createCipheriv('chacha20', key, new Uint8Array(16))
  const expected = new Uint8Array(cipher.update(new Uint8Array(4 * length)))
  assert.deepEqual(chachaBytes(key, 20, 4 * length), expected)
  const fast = await loadAddMasks()
  const words = new Uint32Array(length)
  fast(words, [{ key, sign: 1 }], 20)
  assert.deepEqual(words, ringFromBytes(expected, 32, length))
})

test('adds and subtracts the same words by WebAssembly as by the plain form, in every ring and length [L-41]', async () => {
  const fast = await loadAddMasks()
  const masks: Mask[] = [
    { key: keyOf('a'), sign: 1 },
    { key: keyOf('b'), sign: -1 },
    { key: keyOf('c'), sign: -1 },
  ]
  for (const bits of bitsOf) {
    for (const length of [1, 3, 63, 64, 65, 1000, 8192, 8193, 20_001]) {
      const next = wordStream(keyOf(`${bits} ${length}`))
      const plain = ringWords(bits, length)
      for (let i = 0; i < length; i++) {
        if (plain instanceof BigUint64Array) plain[i] = next()
        else plain[i] = Number(next() & 0xffffffffn)
      }
      const quick = plain.slice()
      const rounds = length === 65 ? 20 : length === 64 ? 12 : 8
      addMasksPlainly(plain, masks, rounds)
      fast(quick, masks, rounds)
      assert.deepEqual(quick, plain, `${bits} bits, ${length} words`)
    }
  }
})

test('takes away exactly what it added, and more masks than fit its memory at once [L-41]', async () => {
  const fast = await loadAddMasks()
  const masks = Array.from({ length: 1030 }, (_, i): Mask => ({ key: keyOf(`many ${i}`), sign: i % 2 === 0 ? 1 : -1 }))
  const words = Uint32Array.from({ length: 100 }, (_, i) => i)
  fast(words, masks, 8)
  assert.notEqual(words[5], 5)
  fast(
    words,
    masks.map(({ key, sign }) => ({ key, sign: sign === 1 ? -1 : 1 })),
    8,
  )
  assert.deepEqual(
    words,
    Uint32Array.from({ length: 100 }, (_, i) => i),
  )
})

test('works on a view in the middle of a buffer and leaves the rest of it alone', async () => {
  const fast = await loadAddMasks()
  const whole = new Uint32Array(400)
  fast(whole.subarray(100, 300), [{ key: keyOf('view'), sign: 1 }], 12)
  assert.ok(whole.subarray(0, 100).every((word) => word === 0) && whole.subarray(300).every((word) => word === 0))
  const alone = new Uint32Array(200)
  addMasksPlainly(alone, [{ key: keyOf('view'), sign: 1 }], 12)
  assert.deepEqual(whole.slice(100, 300), alone)
})
