import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { codeOf, concatBytes } from '@potluck/protocol'
import { type Compression, codecOf } from './Compression.ts'
import { compressUpdate } from './compressUpdate.ts'
import { decodeUpdate } from './decodeUpdate.ts'
import { testTensors } from './testTensors.ts'

const topk: Compression = { kind: 'topk', keep: 16, feedback: 0 }
const ways: Compression[] = [
  { kind: 'f32' },
  { kind: 'dense', bits: 2 },
  { kind: 'dense', bits: 4 },
  { kind: 'dense', bits: 8 },
  topk,
]
const delta = testTensors.get('one more than a chunk')!.subarray(0, 1001)
const bytesOf = (how: Compression): Uint8Array => compressUpdate(delta, undefined, how).bytes.slice()

for (const how of ways) {
  const name = `${how.kind}${how.kind === 'dense' ? how.bits : ''}`
  const good = bytesOf(how)
  const refuses = (bytes: Uint8Array, code: string, length = delta.length): void =>
    assert.throws(() => decodeUpdate(bytes, length, how), { code })

  test(`${name}: an update of another codec is refused [L-25]`, () => {
    for (const other of ways) if (other !== how) refuses(bytesOf(other), 'WRONG_CODEC')
    refuses(Uint8Array.of(200, ...good.subarray(1)), 'WRONG_CODEC')
  })

  test(`${name}: bytes that are missing or left over are refused [L-25]`, () => {
    refuses(new Uint8Array(0), 'TRUNCATED_UPDATE')
    refuses(good.subarray(0, 1), 'TRUNCATED_UPDATE')
    refuses(good.subarray(0, good.length >> 1), 'TRUNCATED_UPDATE')
    refuses(concatBytes(good, Uint8Array.of(0, 0, 0, 0)), 'TRAILING_BYTES')
    refuses(concatBytes(good, new Uint8Array(100_000)), 'TRAILING_BYTES')
    for (const end of [1, 2, 3, 4]) {
      assert.throws(() => decodeUpdate(good.subarray(0, -end), delta.length, how), isRefusal, `${end} bytes short`)
    }
    assert.throws(() => decodeUpdate(concatBytes(good, Uint8Array.of(0)), delta.length, how), isRefusal)
  })

  test(`${name}: an update of a model of another length is refused [L-25]`, () => {
    for (const length of [1, 500, 4096, 100_000]) assert.throws(() => decodeUpdate(good, length, how), isRefusal)
    refuses(good, 'SHAPE', 0)
    refuses(good, 'SHAPE', 1e12)
  })

  test(`${name}: changed and random bytes are refused, or are the one form of another update [L-25]`, () => {
    const random = new RandomStream(Uint8Array.of(codecOf(how)), 97, 0)
    let at = 0
    const next = (below: number): number => random.below(at++, below)
    let decoded = 0
    for (let trial = 0; trial < 400; trial++) {
      const bytes = good.slice(0, next(4) === 0 ? 1 + next(good.length) : good.length)
      const from = next(3) === 0 ? 1 : bytes.length - 1
      for (let change = 0; change <= next(3); change++) bytes[Math.min(from, 1 + next(bytes.length))] = next(256)
      if (next(5) === 0) for (let i = 1; i < bytes.length; i++) bytes[i] = next(256)
      const length = next(8) === 0 ? 1 + next(9000) : delta.length
      let update: Float32Array
      try {
        update = decodeUpdate(bytes, length, how)
      } catch (error) {
        assert.ok(isRefusal(error), `trial ${trial}: ${String(error)}`)
        continue
      }
      decoded++
      assert.equal(update.length, length)
      assert.ok(update.every(Number.isFinite))
      // Two levels may be chosen otherwise for the same values: there the form is unique without being what a sender would write.
      if (how.kind !== 'dense' || how.bits !== 2) assert.deepEqual(compressUpdate(update, undefined, how).bytes, bytes)
    }
    assert.ok(decoded > 0, 'no trial reached the end of decoding')
  })
}

const isRefusal = (error: unknown): boolean =>
  ['WRONG_CODEC', 'TRUNCATED_UPDATE', 'TRAILING_BYTES', 'BAD_SCALE', 'NOT_CANONICAL', 'NAN'].includes(
    codeOf(error) ?? '',
  )

test('a value that is no number is refused, as is infinity [L-25]', () => {
  for (const word of [0x7fc00000, 0x7f800000, 0xff800000]) {
    const bytes = bytesOf({ kind: 'f32' })
    new DataView(bytes.buffer).setUint32(1 + 4 * 7, word, true)
    assert.throws(() => decodeUpdate(bytes, delta.length, { kind: 'f32' }), { code: 'NAN', facts: { at: 7 } })
  }
})

test('scales that are infinite, no numbers, or in the wrong order are refused [L-25]', () => {
  for (const bits of [4, 8] as const) {
    for (const scale of [0xff00, 0xff80, 0xffff, 0xfeff]) {
      const bytes = bytesOf({ kind: 'dense', bits })
      bytes.set([scale >> 8, scale & 255], 1)
      assert.throws(() => decodeUpdate(bytes, delta.length, { kind: 'dense', bits }), { code: 'BAD_SCALE' })
    }
  }
  const two = bytesOf({ kind: 'dense', bits: 2 })
  two.set([two[3]!, two[4]!, two[1]!, two[2]!], 1)
  assert.throws(() => decodeUpdate(two, delta.length, { kind: 'dense', bits: 2 }), { code: 'BAD_SCALE' })
})

test('a scale larger than its block needs is refused: the same values have one form [L-25]', () => {
  const dense: Compression = { kind: 'dense', bits: 8 }
  const bytes = compressUpdate(Float32Array.of(1, 0.5), undefined, dense).bytes
  const doubled = bytes.slice()
  // Twice the scale is one more in the exponent, which begins at bit 8 of a scale.
  doubled[1]! += 1
  doubled.set([127 + 64, 127 + 32], 3)
  assert.throws(() => decodeUpdate(doubled, 2, dense), { code: 'NOT_CANONICAL' })
})

test('a hundred bytes cannot make a receiver hold more than the job has [L-25]', () => {
  // Chunks of zeros cost 13 bits at most, so that few bytes stand for many values: for as many as the job says, and no more.
  const zeros = compressUpdate(new Float32Array(4096 * 200), undefined, topk).bytes
  assert.ok(zeros.length < 400)
  assert.throws(() => decodeUpdate(zeros, 4096, topk), { code: 'TRAILING_BYTES' })
})
