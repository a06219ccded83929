import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from 'node:crypto'
import { test } from 'node:test'
import { codeOf, sha256, utf8 } from '@potluck/protocol'
import { deriveMaskKeys, maskVector, type SumContext, sumMasked, wordsFromBytes, wordsToBytes } from './maskedSum.ts'
import { wordStream } from './wordStream.ts'

const context: SumContext = { job: 'job-7', round: 3, attempt: 1 }
const ids = ['va', 'cleveland', 'hungarian', 'zürich']

function group(members: readonly string[], length: number, at: SumContext = context) {
  const keys = new Map(members.map((id) => [id, deriveMaskKeys(sha256(utf8(`secret of ${id}`)), at)]))
  const publicKeys = new Map([...keys].map(([id, key]) => [id, key.publicKey]))
  const plain = new Map(
    members.map((id) => {
      const next = wordStream(sha256(utf8(`values of ${id}`)))
      return [id, BigUint64Array.from({ length }, next)]
    }),
  )
  const masked = new Map(members.map((id) => [id, maskVector(plain.get(id)!, at, id, keys.get(id)!, publicKeys)]))
  return { keys, publicKeys, plain, masked }
}

const plainSum = (vectors: Iterable<BigUint64Array>, length: number): BigUint64Array => {
  const sum = new BigUint64Array(length)
  for (const vector of vectors)
    vector.forEach((word, i) => {
      sum[i] = sum[i]! + word
    })
  return sum
}

test('sums masked vectors to the bit like the plain ones, for three members and for seven [L-10]', () => {
  for (const members of [ids.slice(1), [...ids, 'a', 'b', 'aa']]) {
    const { plain, masked } = group(members, 50)
    assert.deepEqual(sumMasked(masked, members), plainSum(plain.values(), 50))
    // The order in which vectors arrive and members are listed does not matter.
    assert.deepEqual(sumMasked(new Map([...masked].reverse()), [...members].reverse()), plainSum(plain.values(), 50))
  }
})

test('gives the same bytes for the same keys, and others for another round, attempt or job [L-12]', () => {
  const first = group(ids, 8).masked.get('va')!
  assert.deepEqual(group(ids, 8).masked.get('va'), first)
  for (const other of [
    { ...context, round: 4 },
    { ...context, attempt: 2 },
    { ...context, job: 'job-8' },
  ]) {
    const changed = group(ids, 8, other).masked.get('va')!
    assert.ok(changed.every((word, i) => word !== first[i]))
  }
})

test('equals an independent derivation from the rule, by another library [L-10]', () => {
  const members = ['a', 'bb', 'c']
  const { keys, publicKeys, plain, masked } = group(members, 6)
  const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
  const spki = Buffer.from('302a300506032b656e032100', 'hex')
  const own = keys.get('bb')!.secretKey
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, own]), format: 'der', type: 'pkcs8' })
  const u64 = (value: number): Buffer => Buffer.from(value.toString(16).padStart(16, '0'), 'hex')
  const named = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)])
  const expected = BigUint64Array.from(plain.get('bb')!)
  for (const [peer, low, high, sign] of [
    ['a', 'a', 'bb', -1n],
    ['c', 'bb', 'c', 1n],
  ] as const) {
    const publicKey = createPublicKey({
      key: Buffer.concat([spki, publicKeys.get(peer)!]),
      format: 'der',
      type: 'spki',
    })
    const shared = diffieHellman({ privateKey, publicKey })
    const info = Buffer.concat([named('potluck/mask/1'), named('job-7'), u64(3), u64(1), named(low), named(high)])
    const key = Buffer.from(hkdfSync('sha256', shared, '', info, 32))
    const stream = Buffer.concat([0, 1].map((i) => createHash('sha256').update(key).update(u64(i)).digest()))
    for (let i = 0; i < 6; i++) expected[i] = expected[i]! + sign * stream.readBigUInt64BE(8 * i)
  }
  assert.deepEqual(masked.get('bb'), expected)
})

test('leaves noise, not a smaller sum, when one member is dropped [L-10]', () => {
  const length = 400
  const { plain, masked } = group(ids, length)
  const rest = ids.slice(0, 3)
  const partial = sumMasked(new Map(rest.map((id) => [id, masked.get(id)!])), rest)
  const smaller = plainSum(
    rest.map((id) => plain.get(id)!),
    length,
  )
  const difference = partial.map((word, i) => word - smaller[i]!)
  assert.ok(looksUniform(difference))
})

/** Ones among the bits within five standard deviations of half, and every half byte near its share (chi-square). */
function looksUniform(words: BigUint64Array): boolean {
  const bytes = wordsToBytes(words)
  let ones = 0
  const counts = new Array<number>(16).fill(0)
  for (const byte of bytes) {
    for (let b = byte; b > 0; b >>= 1) ones += b & 1
    counts[byte >> 4]! += 1
    counts[byte & 15]! += 1
  }
  const bits = bytes.length * 8
  const share = bytes.length / 8
  const chi = counts.reduce((sum, count) => sum + ((count - share) * (count - share)) / share, 0)
  // 15 degrees of freedom: 50 is passed by chance once in 80,000.
  return Math.abs(ones - bits / 2) < 2.5 * Math.sqrt(bits) && chi < 50
}

test('shows uniform words even when what they hide is all zero, alone and three together [L-10]', () => {
  const length = 500
  const { keys, publicKeys } = group(ids, 1)
  const zero = new BigUint64Array(length)
  const masked = ids.map((id) => maskVector(zero, context, id, keys.get(id)!, publicKeys))
  assert.ok(!looksUniform(zero))
  for (const vector of masked) assert.ok(looksUniform(vector))
  // Three vectors and the total (zero here) give the fourth member's masked vector and no more.
  const three = plainSum(masked.slice(0, 3), length)
  assert.ok(looksUniform(three))
  assert.deepEqual(
    three.map((word) => -word),
    masked[3],
  )
})

test('refuses sums over fewer than three, over a part of the group and over a stranger [L-11]', () => {
  const { masked, keys, publicKeys, plain } = group(ids, 4)
  const two = new Map([...masked].slice(0, 2))
  assert.throws(
    () => sumMasked(two, [...two.keys()]),
    (error) => codeOf(error) === 'BAD_GROUP',
  )
  assert.throws(
    () => sumMasked(two, ['va', 'va', 'cleveland']),
    (error) => codeOf(error) === 'BAD_GROUP',
  )
  assert.throws(
    () => sumMasked(two, ids),
    (error) => codeOf(error) === 'MEMBER_MISSING',
  )
  assert.throws(
    () => sumMasked(masked, ids.slice(1)),
    (error) => codeOf(error) === 'MEMBER_MISSING',
  )
  const pair = new Map([...publicKeys].slice(0, 2))
  const words = plain.get('va')!
  assert.throws(
    () => maskVector(words, context, 'va', keys.get('va')!, pair),
    (error) => codeOf(error) === 'BAD_GROUP',
  )
  assert.throws(
    () => maskVector(words, context, 'eve', keys.get('va')!, publicKeys),
    (error) => codeOf(error) === 'NOT_A_MEMBER',
  )
  assert.throws(
    () => maskVector(words, context, 'va', keys.get('cleveland')!, publicKeys),
    (error) => codeOf(error) === 'NOT_A_MEMBER',
  )
})

test('refuses keys that force a known secret, and vectors of different lengths [L-11]', () => {
  const { masked, keys, publicKeys, plain } = group(ids, 4)
  for (const key of [
    new Uint8Array(32),
    Uint8Array.of(1, ...new Uint8Array(31)),
    new Uint8Array(31),
    new Uint8Array(0),
  ]) {
    const tampered = new Map([...publicKeys, ['zürich', key]])
    assert.throws(
      () => maskVector(plain.get('va')!, context, 'va', keys.get('va')!, tampered),
      (error) => codeOf(error) === 'BAD_PUBLIC_KEY',
    )
  }
  const uneven = new Map([...masked, ['zürich', new BigUint64Array(3)]])
  assert.throws(
    () => sumMasked(uneven, ids),
    (error) => codeOf(error) === 'BAD_LENGTH',
  )
  assert.throws(
    () => deriveMaskKeys(new Uint8Array(16), context),
    (error) => codeOf(error) === 'WEAK_SECRET',
  )
})

test('carries words over the wire and refuses another length', () => {
  const words = BigUint64Array.of(0n, 1n, (1n << 64n) - 1n)
  assert.deepEqual(wordsFromBytes(wordsToBytes(words), 3), words)
  assert.throws(
    () => wordsFromBytes(new Uint8Array(25), 3),
    (error) => codeOf(error) === 'BAD_LENGTH',
  )
})
