import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '@potluck/protocol'
import { chosenGroup, isLeftOut, mayForm, presentGroup, type Standing } from './sumGroup.ts'

const all = 'abcde'.split('') as Hex[]
const groupOf = (letters: string): Hex[] => letters.split('') as Hex[]
/** Bounds of others by their letter; who is not named is bound to everybody. */
const standing = (self: string, least: number, bounds: Record<string, string> = {}): Standing => ({
  self: self as Hex,
  bound: groupOf(bounds[self] ?? 'abcde'),
  least,
  boundOf: (member) => groupOf(bounds[member] ?? 'abcde'),
})
const chosen = (at: Standing, ...named: string[]): string | undefined =>
  chosenGroup(at, all, named.map(groupOf))?.join('')
const present = (at: Standing, there: string): string | undefined =>
  presentGroup(at, (member) => there.includes(member))?.join('')

test('of two groups the smaller is gone on with, of two as large the one that leaves out a later member [P-63]', () => {
  const at = standing('b', 3)
  assert.equal(chosen(at, 'abcde', 'abc'), 'abc')
  assert.equal(chosen(at, 'bde', 'abc', 'abd'), 'abc')
  assert.equal(chosen(at, 'abd', 'bde', 'abc'), 'abc')
})

test('nobody joins a group without itself, of too few, or with somebody who is bound to others [P-63]', () => {
  assert.equal(chosen(standing('e', 3), 'abc', 'abce'), 'abce')
  assert.equal(chosen(standing('a', 4), 'abc'), undefined)
  assert.equal(chosen(standing('a', 3, { a: 'abcd' }), 'abce'), undefined)
  assert.equal(chosen(standing('a', 3, { b: 'bcde' }), 'abc', 'acd'), 'acd')
  assert.ok(mayForm(standing('a', 3, { b: 'abc' }), groupOf('abc')))
  assert.ok(!mayForm(standing('a', 3, { b: 'abc' }), groupOf('abcd')))
})

test('who is there forms the next group, together with those that are bound to fewer as far as enough are left [P-63]', () => {
  assert.equal(present(standing('a', 3), 'bcd'), 'abcd')
  assert.equal(present(standing('a', 3), 'b'), undefined)
  assert.equal(present(standing('a', 3, { a: 'abc' }), 'bcde'), 'abc')
  assert.equal(present(standing('a', 3, { b: 'abcd' }), 'bcde'), 'abcd')
  assert.equal(present(standing('a', 3, { b: 'abcd', c: 'abce' }), 'bcde'), 'abc')
  // The one who can sum only with others is left out.
  assert.equal(present(standing('a', 3, { e: 'cde' }), 'bcde'), 'abcd')
})

test('a member is left out once no group can have it any more, not when one other member says so [P-63]', () => {
  assert.ok(!isLeftOut(standing('e', 3, { a: 'abcd' })))
  assert.ok(!isLeftOut(standing('e', 3, { a: 'abcd', b: 'abcd' })))
  assert.ok(isLeftOut(standing('e', 3, { a: 'abcd', b: 'abcd', c: 'abcd' })))
  assert.ok(isLeftOut(standing('e', 4, { a: 'abcd', b: 'abcd' })))
})
