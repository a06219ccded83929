import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@potluck/protocol'
import { type LateMember, whoIsLate } from './whyLate.ts'

const member = (name: string, fetchMs: number, trainMs: number, sendMs: number): LateMember => ({
  member: name,
  fetchMs,
  trainMs,
  sendMs,
  quarters: 4,
})
const usual = ['a', 'b', 'c', 'd'].map((name) => member(name, 500, 4_000, 300))

test('names the phase that held a member up against the median, with both times [L-73]', () => {
  const late = whoIsLate(
    [...usual, member('slow', 600, 9_100, 300), member('far', 900, 4_000, 3_000), member('deaf', 8_000, 3_000, 100)],
    5_000,
  )
  assert.deepEqual(
    late.map(({ member, cause, byMs }) => [member, cause, byMs]),
    [
      ['slow', 'train', 5_000],
      ['far', 'send', 2_900],
      ['deaf', 'fetch', 6_100],
    ],
  )
  assert.match(late[0]!.why, /^slow was 5\.0 s late with 4 quarters: training took 9\.1 s, the median is 4\.0 s; /)
})

test('says of a member that sent nothing when it was last heard of [L-73]', () => {
  const [gone] = whoIsLate([...usual, { member: 'gone', lastSeenMs: 1_250 }], 6_000)
  assert.equal(gone?.cause, 'absent')
  assert.match(gone?.why ?? '', /gone sent nothing within 6\.0 s; it was last heard of at 1\.3 s/)
})

test('blames nobody who kept the deadline, to the millisecond [L-73]', () => {
  assert.deepEqual(whoIsLate(usual, 4_800), [])
  assert.equal(whoIsLate(usual, 4_799).length, 4)
})

test('refuses times that are no whole milliseconds', () => {
  assert.throws(
    () => whoIsLate([member('a', 0.5, 1, 1)], 1),
    (error) => codeOf(error) === 'BAD_TIMES',
  )
})
