import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { addRing, type RingBits, ringBytes, ringFromBytes, ringWords } from './ring.ts'
import { decodeRing, encodeRing, type RingFormat, ringLimit } from './ringFixed.ts'

const formats: readonly RingFormat[] = [
  { bits: 16, fractionBits: 5, members: 100 },
  { bits: 32, fractionBits: 20, members: 100 },
  { bits: 64, fractionBits: 32, members: 100 },
]

test('sums as many of the largest values as there are members without wrapping, in every ring [L-09]', () => {
  for (const format of formats) {
    const unit = Number(1n << BigInt(format.fractionBits))
    // The largest word of 64 bits is no f64: the next lower one is taken.
    const largest = format.bits === 64 ? (ringLimit(format) - 1024) / unit : ringLimit(format) / unit
    for (const value of [largest, -largest, 0, 1 / unit, -1 / unit]) {
      const words = encodeRing([value], format)
      const sum = ringWords(format.bits, 1)
      for (let i = 0; i < format.members; i++) addRing(sum, words)
      assert.equal(decodeRing(sum, format)[0], format.members * value)
    }
  }
})

test('refuses what has no headroom for all members, and what is not finite, in every ring [L-09]', () => {
  for (const format of formats) {
    const unit = Number(1n << BigInt(format.fractionBits))
    const tooLarge = (ringLimit(format) + 1024) / unit
    for (const value of [tooLarge, -tooLarge, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(
        () => encodeRing([0, value], format),
        (error) => codeOf(error) === 'NO_HEADROOM',
      )
    }
  }
  assert.throws(
    () => encodeRing([1], { bits: 24 as RingBits, fractionBits: 2, members: 3 }),
    (error) => codeOf(error) === 'BAD_FIXED_POINT',
  )
})

test('carries words as little-endian bytes and refuses another number of them', () => {
  assert.deepEqual([...ringBytes(Uint32Array.of(1, 0xff000002))], [1, 0, 0, 0, 2, 0, 0, 0xff])
  for (const words of [
    Uint16Array.of(1, 65535),
    Uint32Array.of(7, 4294967295),
    BigUint64Array.of(1n, (1n << 64n) - 1n),
  ]) {
    const bits = (8 * words.BYTES_PER_ELEMENT) as RingBits
    assert.deepEqual(ringFromBytes(ringBytes(words), bits, 2), words)
    assert.throws(
      () => ringFromBytes(ringBytes(words), bits, 3),
      (error) => codeOf(error) === 'BAD_LENGTH',
    )
  }
  assert.throws(
    () => addRing(new Uint32Array(3), new Uint32Array(4)),
    (error) => codeOf(error) === 'BAD_LENGTH',
  )
})
