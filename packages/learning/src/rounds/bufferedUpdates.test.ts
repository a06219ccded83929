import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { codeOf, utf8 } from '@potluck/protocol'
import { type Buffered, bufferUpdate, emptyBuffer, type UpdateBuffer } from './bufferedUpdates.ts'

const policy = { size: 3, mostStaleness: 8 }
const taken = (result: Buffered): Buffered & { ok: true } => {
  assert.ok(result.ok)
  return result
}

test('makes a step of every K-th update, the fresh ones in full [L-72]', () => {
  let buffer = emptyBuffer(2)
  const steps: (Float32Array | undefined)[] = []
  for (const value of [3, 6, 9, 1, 1, 1]) {
    const result = taken(bufferUpdate(buffer, policy, Float32Array.of(value, -value), buffer.version))
    buffer = result.buffer
    steps.push(result.step)
  }
  assert.deepEqual(
    steps.map((step) => step && [...step]),
    [undefined, undefined, [6, -6], undefined, undefined, [1, -1]],
  )
  assert.equal(buffer.version, 2)
})

test('weighs an update by one over the root of one plus its staleness [L-72]', () => {
  const at = (version: number): UpdateBuffer => ({ ...emptyBuffer(1), version })
  assert.equal(taken(bufferUpdate(at(3), policy, Float32Array.of(1), 3)).weight, 1)
  assert.equal(taken(bufferUpdate(at(3), policy, Float32Array.of(1), 0)).weight, 0.5)
  assert.equal(taken(bufferUpdate(at(8), policy, Float32Array.of(1), 0)).weight, 1 / 3)
  // A buffer of stale updates makes a shorter step, not a renormalised one.
  const one = { size: 1, mostStaleness: 8 }
  assert.deepEqual([...(taken(bufferUpdate(at(3), one, Float32Array.of(4), 0)).step ?? [])], [2])
})

test('refuses what is too old with a reason, and a base that does not exist [L-72]', () => {
  const old = bufferUpdate({ ...emptyBuffer(1), version: 9 }, policy, Float32Array.of(1), 0)
  assert.equal(old.ok, false)
  assert.match(old.ok ? '' : old.why, /9 steps old, at most 8/)
  const refuses = (code: string, work: () => unknown): void => assert.throws(work, (error) => codeOf(error) === code)
  refuses('BAD_BUFFER', () => bufferUpdate(emptyBuffer(1), policy, Float32Array.of(1), 1))
  refuses('BAD_BUFFER', () => bufferUpdate(emptyBuffer(1), { ...policy, size: 0 }, Float32Array.of(1), 0))
  refuses('SHAPE', () => bufferUpdate(emptyBuffer(2), policy, Float32Array.of(1), 0))
})

test('leaves the buffer that it was given as it was, and gives the same bits again [L-72]', () => {
  const random = new RandomStream(utf8('buffer'), 70, 1)
  const run = (): number[] => {
    let buffer = emptyBuffer(8)
    const out: number[] = []
    for (let i = 0; i < 20; i++) {
      const before = buffer.sum.slice()
      const update = Float32Array.from({ length: 8 }, (_, p) => random.normal(8 * i + p))
      const result = taken(bufferUpdate(buffer, policy, update, Math.max(0, buffer.version - (i % 3))))
      assert.deepEqual(buffer.sum, before)
      buffer = result.buffer
      if (result.step) out.push(...result.step)
    }
    return out
  }
  assert.deepEqual(run(), run())
})
