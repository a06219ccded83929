import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lateLines } from './lateShares.ts'

const slow = `0x${'ab'.repeat(20)}`
const late = (round: number, ...why: string[]) => ({ round, why })

test('late workers are told by job, with their names, from the latest round anybody saw [P-57]', () => {
  const said = [
    [
      { job: 2, late: late(0, 'old') },
      { job: 1, late: null },
    ],
    [{ job: 2, late: late(3, `${slow} at share 1 was 4.5 s late: …`) }, { job: 1 }],
    [{ job: 2, late: late(3, 'the same by another clock') }],
  ]
  const lines = lateLines(said, (node) => (node === slow ? 'worker-4' : node))
  assert.deepEqual(lines, ['job 2, round 4: worker-4 at share 1 was 4.5 s late: …'])
  assert.deepEqual(lateLines([], String), [])
})

test('of many late workers the first five are told, and how many more there are', () => {
  const lines = lateLines([[{ job: 1, late: late(0, ...'abcdefg') }]], String)
  assert.equal(lines.length, 6)
  assert.equal(lines.at(-1), 'job 1, round 1: and 2 more')
})
