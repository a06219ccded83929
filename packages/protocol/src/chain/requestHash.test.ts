import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestHash } from './requestHash.ts'

const path = '/v1/completions'

test('hashes what a body says, not how it is written [P-61]', () => {
  const one = JSON.parse('{"model":"m","prompt":"a","temperature":0.5,"n":1}')
  const other = JSON.parse(' { "n": 1.0, "temperature": 5e-1,\n"prompt":"\\u0061", "model":"m" }')
  assert.equal(requestHash(path, one), requestHash(path, other))
})

test('tells paths, values, types and nesting apart [P-61]', () => {
  const bodies = [{}, { a: 1 }, { a: '1' }, { a: 1.5 }, { a: null }, { a: [1] }, { a: { b: 1 } }, { 'a.b': 1 }, []]
  const hashes = [...bodies.map((body) => requestHash(path, body)), requestHash('/v1/chat/completions', {})]
  assert.equal(new Set(hashes).size, hashes.length)
})

test('refuses what is no JSON', () => {
  for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, () => 1]) {
    assert.throws(() => requestHash(path, { value }), { code: 'BAD_BODY' })
  }
})
