import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PotluckError } from '@potluck/protocol'
import { splitRows } from './splitRows.ts'

const seed = Uint8Array.from({ length: 32 }, (_, i) => i)

test('a split holds every row once, in the parts asked for, and depends on the seed alone', () => {
  for (const [count, fraction, aside] of [
    [2, 0.5, 1],
    [3, 0.001, 1],
    [10, 0.99, 9],
    [1000, 0.2, 200],
  ] as const) {
    const { train, valid } = splitRows(count, fraction, seed)
    assert.equal(valid.length, aside)
    assert.deepEqual(
      [...train, ...valid].sort((a, b) => a - b),
      Array.from({ length: count }, (_, i) => i),
    )
    assert.deepEqual(splitRows(count, fraction, seed), { train, valid })
  }
  assert.notDeepEqual(splitRows(1000, 0.2, seed), splitRows(1000, 0.2, Uint8Array.of(1)))
})

test('the rows set aside are spread over the file', () => {
  const { valid } = splitRows(10_000, 0.2, seed)
  const tenths = new Array<number>(10).fill(0)
  for (const row of valid) tenths[Math.floor(row / 1000)]!++
  // Hypergeometric with deviation 12: 60 is five of them.
  for (const tenth of tenths) assert.ok(Math.abs(tenth - 200) < 60, String(tenths))
})

test('the split of a seed is the same on every machine: its first rows are fixed here', () => {
  assert.deepEqual([...splitRows(12, 0.25, seed).valid], [2, 4, 8])
})

test('one row cannot be split', () => {
  assert.throws(
    () => splitRows(1, 0.5, seed),
    (thrown) => thrown instanceof PotluckError && thrown.code === 'TOO_FEW_ROWS',
  )
})
