import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareRows } from './compareRows.ts'
import type { Row } from './Row.ts'

const row = (what: string, value: number, unit = 'gas'): Row => ({
  what,
  value,
  unit,
  rival: null,
  rivalValue: null,
  ratio: null,
})

test('takes values within the tolerance, either way', () => {
  assert.deepEqual(compareRows([row('a', 110), row('b', 90)], [row('a', 100), row('b', 100)], 0.1), [])
  assert.deepEqual(compareRows([row('a', 100)], [row('a', 100)], 0), [])
  assert.deepEqual(compareRows([row('gap', -0.0015)], [row('gap', -0.001)], 0.1), [])
})

test('finds worse, better, missing and new rows, and other units', () => {
  const findings = compareRows(
    [row('worse', 112), row('better', 88), row('unit', 1, 's'), row('new', 1), row('broken', Number.NaN)],
    [row('worse', 100), row('better', 100), row('unit', 1, 'ms'), row('gone', 1), row('broken', 1)],
    0.1,
  )
  assert.deepEqual(
    findings.map((finding) => finding.split(':')[0]),
    ['worse', 'better', 'unit', 'gone', 'broken', 'new'],
  )
})
