import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeBase } from './judgeBase.ts'

test('takes the current base in full, the one before at half weight, and nothing else [L-68]', () => {
  const bases = { current: '0xc', previous: '0xb' }
  assert.deepEqual(judgeBase('0xc', bases), { ok: true, weight: 1, staleness: 0 })
  assert.deepEqual(judgeBase('0xb', bases), { ok: true, weight: 0.5, staleness: 1 })
  const refused = judgeBase('0xa', bases)
  assert.equal(refused.ok, false)
  assert.match(refused.ok ? '' : refused.why, /from the model 0xa, but only 0xc and, at half weight, 0xb count/)
})

test('knows no earlier base in the first round [L-68]', () => {
  assert.equal(judgeBase('undefined', { current: '0xc' }).ok, false)
  assert.equal(judgeBase('0xb', { current: '0xc' }).ok, false)
})

test('counts a model that did not change as current [L-68]', () => {
  assert.deepEqual(judgeBase('0xc', { current: '0xc', previous: '0xc' }), { ok: true, weight: 1, staleness: 0 })
})
