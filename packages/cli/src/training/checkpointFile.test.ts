import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Checkpoint } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { checkSameRun, decodeCheckpoint, encodeCheckpoint, readCheckpoint, replaceFile } from './checkpointFile.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-checkpoint-'))
after(() => rmSync(dir, { recursive: true }))

const checkpoint: Checkpoint = {
  version: 1,
  programRoot: `0x${'12'.repeat(32)}`,
  seedHash: `0x${'ab'.repeat(32)}`,
  step: 7,
  state: { parameters: Float32Array.of(1, -0, 1e-45), moment1: Float32Array.of(0.1, 2, 3) },
  best: { step: 5, loss: 0.1 + 0.2, parameters: Float32Array.of(4, 5, 6) },
}
const identity = { data: '0x1', steps: '10' }

const refusal =
  (code: string, ...parts: string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof PotluckError, String(thrown))
    assert.equal(thrown.code, code)
    for (const part of parts) assert.ok(thrown.message.includes(part), `"${part}" is not in: ${thrown.message}`)
    return true
  }

test('a checkpoint reads back to the bit, with and without a best state', () => {
  for (const one of [checkpoint, { ...checkpoint, best: null }]) {
    const file = join(dir, 'checkpoint')
    replaceFile(file, encodeCheckpoint(one, identity))
    const read = readCheckpoint(file)
    assert.deepEqual(read, { checkpoint: one, identity })
    assert.ok(Object.is(read.checkpoint.state.parameters?.[1], -0))
  }
})

test('a checkpoint that is cut, damaged or something else is refused', () => {
  const bytes = encodeCheckpoint(checkpoint, identity)
  assert.throws(
    () => decodeCheckpoint(bytes.subarray(0, bytes.length - 1), 'c'),
    refusal('FORMAT_RANGE', 'c is no sound'),
  )
  assert.throws(() => decodeCheckpoint(bytes.subarray(0, 5), 'c'), refusal('FORMAT_TRUNCATED', '--resume'))
  const damaged = bytes.slice()
  damaged[damaged.length - 2]! ^= 1
  assert.throws(() => decodeCheckpoint(damaged, 'c'), refusal('BAD_CHECKPOINT', 'damaged'))
  const huge = bytes.slice()
  huge.fill(0xff, 0, 8)
  assert.throws(() => decodeCheckpoint(huge, 'c'), refusal('FORMAT_LIMIT', '18446744073709551615'))
  writeFileSync(join(dir, 'empty'), '')
  assert.throws(() => readCheckpoint(join(dir, 'empty')), refusal('FORMAT_TRUNCATED'))
  assert.throws(() => readCheckpoint(join(dir, 'none')), refusal('NO_CHECKPOINT', '--out'))
  assert.throws(() => replaceFile(join(dir, 'none', 'x'), ''), refusal('CANNOT_WRITE', '--out'))
})

test('a checkpoint of another run is refused with what differs, then and now', () => {
  checkSameRun(identity, { ...identity }, 'c')
  assert.throws(
    () => checkSameRun(identity, { ...identity, steps: '20' }, 'c'),
    refusal('BAD_CHECKPOINT', 'steps 10', 'has 20'),
  )
  assert.throws(() => checkSameRun(identity, { data: '0x1' }, 'c'), refusal('BAD_CHECKPOINT', 'not set'))
})
