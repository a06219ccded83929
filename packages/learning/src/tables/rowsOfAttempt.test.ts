import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, sha256, utf8 } from '@potluck/protocol'
import { rowsOfAttempt } from './rowsOfAttempt.ts'
import type { TableRow } from './tableRow.ts'

const rowsOf = (count: number): TableRow[] =>
  Array.from({ length: count }, (_, lineIndex) => ({ lineIndex, inputs: Float64Array.of(lineIndex), label: 0 }))
const secret = sha256(utf8('a secret'))
const context = { job: 'j', round: 2, attempt: 2 }
const left = (rows: TableRow[], at = context, key = secret): number[] => {
  const kept = new Set(rowsOfAttempt(rows, at, key).map((row) => row.lineIndex))
  return rows.map((row) => row.lineIndex).filter((line) => !kept.has(line))
}

test('uses all rows at first, and leaves out a tenth, rounded up, in each retry [L-08]', () => {
  for (const [count, expected] of [
    [2, 1],
    [10, 1],
    [11, 2],
    [199, 20],
  ] as const) {
    assert.equal(left(rowsOf(count), { ...context, attempt: 1 }).length, 0)
    assert.equal(left(rowsOf(count)).length, expected)
  }
})

test('never makes one choice twice in a round, and gives up when none is left [L-08]', () => {
  const seen = Array.from({ length: 10 }, (_, i) => left(rowsOf(10), { ...context, attempt: i + 2 }).join())
  assert.equal(new Set(seen).size, 10)
  const exhausted: [number, number][] = [
    [10, 12],
    [2, 4],
    [1, 2],
    [500, 101],
  ]
  for (const [rows, attempt] of exhausted) {
    assert.throws(
      () => rowsOfAttempt(rowsOf(rows), { ...context, attempt }, secret),
      (error) => codeOf(error) === 'NO_FRESH_UPDATE',
    )
  }
})

test('draws the same rows from the same secret, others for another secret, attempt, round or job [L-08]', () => {
  const rows = rowsOf(200)
  assert.deepEqual(left(rows), left(rows))
  for (const other of [
    { ...context, attempt: 3 },
    { ...context, round: 3 },
    { ...context, job: 'k' },
  ]) {
    assert.notDeepEqual(left(rows, other), left(rows))
  }
  assert.notDeepEqual(left(rows, context, sha256(secret)), left(rows))
})

test('leaves out every row about equally often [L-08]', () => {
  const counts = new Array<number>(20).fill(0)
  for (let round = 1; round <= 2000; round++) {
    for (const line of left(rowsOf(20), { ...context, round })) counts[line]! += 1
  }
  // 2 of 20 rows, 2,000 times: 200 each, deviation 13.4.
  for (const count of counts) assert.ok(Math.abs(count - 200) < 67, counts.join())
})
