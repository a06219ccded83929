import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, sha256, toHex, utf8 } from '@potluck/protocol'
import { chachaBytes } from './chacha.ts'
import { openShare, sealShare } from './sealShare.ts'
import { combineShares, splitSecret } from './shamir.ts'

const random = (name: string, length: number): Uint8Array => chachaBytes(sha256(utf8(name)), 20, length)
const besides = random('besides', 96)
const route = { sum: sha256(utf8('sum')), from: 3, to: 8 }

/** The field by tables of powers of its generator 3, and polynomials one byte at a time: nothing shared with the code under test. */
function naiveShare(secret: Uint8Array, threshold: number, place: number, coefficients: Uint8Array): Uint8Array {
  const power: number[] = [1]
  for (let i = 1; i < 255; i++) {
    const before = power[i - 1]!
    const doubled = before < 128 ? before * 2 : (before * 2) ^ 0x11b
    power.push(doubled ^ before)
  }
  const multiply = (a: number, b: number): number =>
    a === 0 || b === 0 ? 0 : power[(power.indexOf(a) + power.indexOf(b)) % 255]!
  return secret.map((byte, at) => {
    let sum = byte
    let x = 1
    for (let degree = 1; degree < threshold; degree++) {
      x = multiply(x, place)
      sum ^= multiply(coefficients[(degree - 1) * secret.length + at]!, x)
    }
    return sum
  })
}

test('deals the points of the polynomial that a naive field gives [L-43]', () => {
  const secret = random('secret', 64)
  const coefficients = random('coefficients', 4 * 64)
  const shares = splitSecret(secret, 5, 255, coefficients)
  for (const place of [1, 2, 3, 128, 255]) {
    assert.deepEqual(shares[place - 1], naiveShare(secret, 5, place, coefficients))
  }
})

test('gives the secret from any threshold of shares, and not from fewer or a wrong one [L-43]', () => {
  const secret = random('another', 32)
  const shares = splitSecret(secret, 4, 7, random('more', 3 * 32)).map((bytes, i) => ({ place: i + 1, bytes }))
  for (let a = 0; a < 7; a++) {
    const four = [0, 1, 2, 3].map((i) => shares[(a + i * i) % 7]!)
    if (new Set(four).size === 4) assert.deepEqual(combineShares(four), secret)
  }
  assert.deepEqual(combineShares(shares), secret)
  assert.notDeepEqual(combineShares(shares.slice(0, 3)), secret)
  const wrong = { place: 2, bytes: shares[2]!.bytes }
  assert.notDeepEqual(combineShares([shares[0]!, wrong, shares[3]!, shares[4]!]), secret)
  // A threshold of one is a copy for everybody; the secret of zeros still looks like nothing with two.
  const flat = splitSecret(new Uint8Array(4), 2, 3, Uint8Array.of(9, 0, 255, 1))
  assert.deepEqual(flat.map(toHex), ['0x0900ff01', '0x1200e502', '0x1b001a03'])
})

test('refuses thresholds, places and lengths that make no sense', () => {
  const isBad = (run: () => unknown) => assert.throws(run, (error) => codeOf(error) === 'BAD_SHARING')
  isBad(() => splitSecret(new Uint8Array(4), 3, 2, new Uint8Array(8)))
  isBad(() => splitSecret(new Uint8Array(4), 2, 256, new Uint8Array(4)))
  isBad(() => splitSecret(new Uint8Array(4), 2, 3, new Uint8Array(3)))
  isBad(() => combineShares([]))
  const bytes = new Uint8Array(4)
  isBad(() =>
    combineShares([
      { place: 1, bytes },
      { place: 1, bytes },
    ]),
  )
})

test('opens a sealed share only for its sum, sender and receiver, and only unchanged [L-42]', () => {
  const key = random('agreed', 32)
  const share = random('share', 64)
  const sealed = sealShare(key, route, share, besides)
  assert.equal(sealed.length, 96)
  assert.deepEqual(openShare(key, route, sealed, besides), share)
  const isBroken = (run: () => unknown) => assert.throws(run, (error) => codeOf(error) === 'SEAL_BROKEN')
  isBroken(() => openShare(random('other', 32), route, sealed, besides))
  isBroken(() => openShare(key, { ...route, sum: sha256(utf8('another round')) }, sealed, besides))
  isBroken(() => openShare(key, { ...route, from: 8, to: 3 }, sealed, besides))
  for (const at of [0, 63, 64, 95])
    isBroken(() =>
      openShare(
        key,
        route,
        sealed.map((byte, i) => (i === at ? byte ^ 4 : byte)),
        besides,
      ),
    )
  isBroken(() => openShare(key, route, sealed, random('others', 96)))
  for (const length of [0, 31, 32, 95]) isBroken(() => openShare(key, route, sealed.subarray(0, length), besides))
  isBroken(() => openShare(key, route, Uint8Array.from([...sealed, 0]), besides))
})

test('seals as HKDF, ChaCha20 and HMAC of another library do [L-42]', async () => {
  const { createCipheriv, createHmac, hkdfSync } = await import('node:crypto')
  const key = random('agreed', 32)
  const share = random('share', 64)
  const u64 = (value: number): Buffer => Buffer.from(value.toString(16).padStart(16, '0'), 'hex')
  const info = Buffer.concat([Buffer.from('potluck/share/2'), u64(3), u64(8)])
  const keys = Buffer.from(hkdfSync('sha256', key, route.sum, info, 64))
  const encrypted = createCipheriv('chacha20', keys.subarray(0, 32), Buffer.alloc(16)).update(share)
  const tag = createHmac('sha256', keys.subarray(32)).update(encrypted).update(besides).digest()
  assert.deepEqual(sealShare(key, route, share, besides), new Uint8Array(Buffer.concat([encrypted, tag])))
})
