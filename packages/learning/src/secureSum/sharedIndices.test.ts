import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, sha256, toHex, utf8 } from '@potluck/protocol'
import { addMasksPlainly } from './addMasks.ts'
import { defaultTolerance } from './planGraph.ts'
import { addRing, ringWords } from './ring.ts'
import { quantiseShared, sharedIndices, spreadShared } from './sharedIndices.ts'
import { portableAgreement } from './sumCrypto.ts'
import { sumInMemory } from './sumInMemory.ts'
import { setUpSum } from './sumPlan.ts'
import { drawBelow, wordStream } from './wordStream.ts'

const seed = sha256(utf8('job'))

test('draws distinct ascending coordinates, the same for all, others each round, each as likely as any [L-50]', () => {
  const counts = new Uint32Array(20)
  for (let round = 0; round < 2000; round++) {
    const drawn = sharedIndices(seed, round, 20, 5)
    assert.equal(new Set(drawn).size, 5)
    drawn.forEach((at, i) => {
      assert.ok(at < 20 && (i === 0 || at > drawn[i - 1]!))
      counts[at]! += 1
    })
  }
  // 500 expected each, standard deviation 19.4; five of them are passed by chance once in a million draws.
  for (const count of counts) assert.ok(Math.abs(count - 500) < 97, `${count}`)
  assert.deepEqual(sharedIndices(seed, 7, 1000, 30), sharedIndices(seed, 7, 1000, 30))
  assert.notDeepEqual(sharedIndices(seed, 7, 1000, 30), sharedIndices(seed, 8, 1000, 30))
  assert.deepEqual([...sharedIndices(seed, 1, 6, 6)], [0, 1, 2, 3, 4, 5])
  for (const keep of [0, 7, 1.5]) {
    assert.throws(
      () => sharedIndices(seed, 1, 6, keep),
      (error) => codeOf(error) === 'BAD_KEEP',
    )
  }
})

test('sums only the shared coordinates, to the bit, and loses nothing of what waits over the rounds [L-50]', () => {
  const members = ['a', 'b', 'c', 'd']
  const length = 60
  const keep = 20
  const format = { bits: 32, fractionBits: 16, members: members.length } as const
  const verify = () => true
  const crypto = { agreement: portableAgreement, verify, addMasks: addMasksPlainly }
  const all = members.map((self) => ({
    self,
    secret: sha256(utf8(self)),
    approved: members,
    sign: () => new Uint8Array(),
    ...crypto,
  }))
  const next = wordStream(seed)
  const residuals = new Map<string, Float32Array>()
  const moved = new Float64Array(length)
  const arrived = new Float64Array(length)
  for (let round = 0; round < 4; round++) {
    const indices = sharedIndices(seed, round, length, keep)
    const words = new Map(
      members.map((id) => {
        const delta = Float32Array.from({ length }, () => drawBelow(next, 2001) / 1000 - 1)
        delta.forEach((value, i) => {
          moved[i]! += value
        })
        const sent = quantiseShared(delta, residuals.get(id), indices, format)
        residuals.set(id, sent.residual)
        return [id, sent.words]
      }),
    )
    const setup = setUpSum({
      job: 'job',
      round,
      attempt: 1,
      base: toHex(sha256(utf8('base'))),
      members,
      bits: 32,
      rounds: 8,
      length: keep,
      seed: toHex(seed),
      ...defaultTolerance(4),
    })
    const sum = sumInMemory(setup, all, words, crypto)
    const plain = ringWords(32, keep)
    for (const one of words.values()) addRing(plain, one)
    assert.deepEqual(sum, plain)
    const spread = spreadShared(sum, indices, length, format)
    assert.ok(spread.every((value, i) => value === 0 || indices.includes(i)))
    spread.forEach((value, i) => {
      arrived[i]! += value
    })
  }
  for (let i = 0; i < length; i++) {
    const waiting = members.reduce((sum, id) => sum + residuals.get(id)![i]!, 0)
    assert.ok(Math.abs(moved[i]! - arrived[i]! - waiting) < 1e-5)
  }
  assert.throws(
    () => quantiseShared(new Float32Array(3), new Float32Array(4), Uint32Array.of(0), format),
    (error) => codeOf(error) === 'SHAPE',
  )
})
