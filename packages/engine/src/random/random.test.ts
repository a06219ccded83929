import assert from 'node:assert/strict'
import { test } from 'node:test'
import { philox } from './philox.ts'
import { RandomStream, streamPurpose } from './RandomStream.ts'

const seed = new Uint8Array(32).fill(5)

test('philox gives the known answers of its authors [E-14]', () => {
  const out = new Uint32Array(4)
  philox([0, 0, 0, 0], [0, 0], out)
  assert.deepEqual([...out], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
  const ones = 0xffffffff
  philox([ones, ones, ones, ones], [ones, ones], out)
  assert.deepEqual([...out], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd])
  philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], out)
  assert.deepEqual([...out], [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1])
})

test('a word depends on seed, purpose, step and index only, in whatever order it is asked for [E-14]', () => {
  const a = new RandomStream(seed, streamPurpose.batches, 3)
  const b = new RandomStream(seed, streamPurpose.batches, 3)
  const forward = Array.from({ length: 40 }, (_, i) => a.word(i))
  const backward = Array.from({ length: 40 }, (_, i) => b.word(39 - i)).reverse()
  assert.deepEqual(forward, backward)
  const others = [
    new RandomStream(seed, streamPurpose.sampling, 3),
    new RandomStream(seed, streamPurpose.batches, 4),
    new RandomStream(new Uint8Array(32), streamPurpose.batches, 3),
  ]
  for (const other of others) assert.notEqual(other.word(0), forward[0])
})

test('normal numbers have mean 0, variance 1 and no value beyond 6 [E-14]', () => {
  const random = new RandomStream(seed, streamPurpose.initialParameters, 0)
  const values = Array.from({ length: 40_000 }, (_, i) => random.normal(i))
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length
  assert.ok(Math.abs(mean) < 0.02, `mean ${mean}`)
  assert.ok(Math.abs(variance - 1) < 0.03, `variance ${variance}`)
  assert.ok(values.every((x) => Math.abs(x) <= 6))
})

test('below covers its range evenly and never reaches the limit [E-14]', () => {
  const random = new RandomStream(seed, streamPurpose.batches, 0)
  const counts = [0, 0, 0, 0, 0]
  for (let i = 0; i < 10_000; i++) counts[random.below(i, 5)]!++
  for (const count of counts) assert.ok(Math.abs(count - 2000) < 200, counts.join())
})
