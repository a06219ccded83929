import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes } from '@potluck/protocol'
import type { Compression } from './Compression.ts'
import { compressUpdate } from './compressUpdate.ts'
import { decodeUpdate, encodeSparse } from './decodeUpdate.ts'
import { decodeFeedback, encodeFeedback } from './feedback.ts'
import { testTensors } from './testTensors.ts'

const ways: Compression[] = [
  { kind: 'f32' },
  ...([2, 4, 8] as const).map((bits) => ({ kind: 'dense' as const, bits })),
  ...[1, 64, 4096].map((keep) => ({ kind: 'topk' as const, keep, feedback: 0 as const })),
]

/** Compares bits, so that −0 is not 0. */
const isSame = (a: Float32Array, b: Float32Array): boolean =>
  equalBytes(new Uint8Array(a.buffer, a.byteOffset, a.byteLength), new Uint8Array(b.buffer, b.byteOffset, b.byteLength))

for (const how of ways) {
  test(`receivers decode what the sender counts on, with ${JSON.stringify(how)} [L-21] [L-23] [L-24]`, () => {
    for (const [name, delta] of testTensors) {
      const { bytes, update, residual } = compressUpdate(delta, undefined, how)
      assert.ok(isSame(decodeUpdate(bytes, delta.length, how), update), name)
      assert.equal(residual, undefined)
      assert.ok(update.every(Number.isFinite), name)
    }
  })
}

test('what receivers hold has the same bytes when it is written again [L-25]', () => {
  for (const [name, delta] of testTensors) {
    const { bytes, update } = compressUpdate(delta, undefined, { kind: 'topk', keep: 64, feedback: 0 })
    assert.deepEqual(encodeSparse(update, 64), bytes, name)
    for (const how of ways.slice(0, 4)) {
      const once = compressUpdate(delta, undefined, how)
      if (how.kind === 'dense' && how.bits === 2) continue
      assert.deepEqual(compressUpdate(once.update, undefined, how).bytes, once.bytes, `${name}, ${JSON.stringify(how)}`)
    }
  }
})

test('values and kept remainders add up to the deltas over rounds [L-26]', () => {
  const how = { kind: 'topk', keep: 64, feedback: 32 } as const
  for (const [name, delta] of testTensors) {
    if (!delta.every((x) => Math.abs(x) < 1e30)) continue
    let residual: Float32Array | undefined
    const sent = new Float64Array(delta.length)
    for (let round = 1; round <= 5; round++) {
      const before = residual
      const packed = compressUpdate(delta, before, how)
      residual = packed.residual!
      for (let i = 0; i < delta.length; i++) {
        sent[i]! += packed.update[i]!
        // The rule to the bit: one rounded sum, one rounded difference.
        const wanted = Math.fround((before ? before[i]! : 0) + delta[i]!)
        assert.ok(Math.fround(wanted - packed.update[i]!) === residual[i]!, name)
      }
    }
    const largest = delta.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
    for (let i = 0; i < delta.length; i++) {
      const missing = Math.abs(5 * delta[i]! - sent[i]! - residual![i]!)
      assert.ok(missing <= 5 * 5 * largest * 1.2e-7 + 1e-44, `${name}: ${missing} at ${i}`)
    }
  }
})

test('a worker that goes on from published bytes computes the same update and remainder [L-26]', () => {
  const delta = testTensors.get('near normal, 3 chunks and a rest')!
  for (const feedback of [4, 8, 32] as const) {
    const how = { kind: 'topk', keep: 64, feedback } as const
    const first = compressUpdate(delta, undefined, how)
    const bytes = encodeFeedback(first.residual!, feedback)
    const published = decodeFeedback(bytes, delta.length, feedback)
    assert.ok(isSame(published, first.residual!))
    const own = compressUpdate(delta, first.residual, how)
    const audited = compressUpdate(delta, published, how)
    assert.deepEqual(audited.bytes, own.bytes)
    assert.ok(isSame(audited.residual!, own.residual!))
  }
})

test('what is not sent once is sent later', () => {
  const delta = testTensors.get('near normal, 3 chunks and a rest')!
  for (const feedback of [4, 8, 32] as const) {
    const how = { kind: 'topk', keep: 64, feedback } as const
    let residual: Float32Array | undefined
    const sent = new Float64Array(delta.length)
    for (let round = 0; round < 100; round++) {
      const packed = compressUpdate(delta, residual, how)
      residual = packed.residual
      for (let i = 0; i < delta.length; i++) sent[i]! += packed.update[i]!
    }
    let [error, all] = [0, 0]
    for (let i = 0; i < delta.length; i++) {
      const missing = 100 * delta[i]! - sent[i]!
      error += missing * missing
      all += 100 * delta[i]! * 100 * delta[i]!
    }
    assert.ok(error < 0.4 * all, `${feedback} bits: ${error / all} of the energy never arrives`)
  }
})

test('a value that is not finite is named, before or after the remainder is added', () => {
  const how = { kind: 'topk', keep: 1, feedback: 32 } as const
  assert.throws(() => compressUpdate(Float32Array.of(0, Number.NaN), undefined, how), { code: 'NAN', facts: { at: 1 } })
  const huge = Float32Array.of(3e38)
  assert.throws(() => compressUpdate(huge, huge, how), { code: 'NAN', facts: { at: 0 } })
})

test('settings that mean nothing are refused with the field [L-21]', () => {
  const one = Float32Array.of(1)
  const refused = (how: unknown, field: string): void =>
    assert.throws(() => compressUpdate(one, undefined, how as Compression), {
      code: 'BAD_COMPRESSION',
      facts: { field },
    })
  refused({ kind: 'zip' }, 'kind')
  refused({ kind: 'dense', bits: 3 }, 'bits')
  refused({ kind: 'topk', keep: 0, feedback: 8 }, 'keep')
  refused({ kind: 'topk', keep: 4097, feedback: 8 }, 'keep')
  refused({ kind: 'topk', keep: 64, feedback: 2 }, 'feedback')
  assert.throws(() => compressUpdate(one, one, { kind: 'f32' }), { code: 'BAD_COMPRESSION' })
  assert.throws(() => compressUpdate(one, Float32Array.of(1, 2), { kind: 'topk', keep: 1, feedback: 8 }), {
    code: 'SHAPE',
  })
  assert.throws(() => compressUpdate(new Float32Array(0), undefined, { kind: 'f32' }), { code: 'SHAPE' })
})
