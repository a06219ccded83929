import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, sha256, utf8 } from '@potluck/protocol'
import { formGroups } from './formGroups.ts'
import { revealed } from './revealed.ts'

const seed = sha256(utf8('beacon'))
const named = (n: number): string[] => Array.from({ length: n }, (_, i) => `m${String(i).padStart(2, '0')}`)
const everyone = (ids: readonly string[]) => new Map(ids.map((id) => [id, ids]))

test('puts every member in one group of the size asked for, or one more, when all approve each other [L-52]', () => {
  for (const [n, size] of [
    [3, 3],
    [12, 4],
    [14, 4],
    [31, 5],
  ] as const) {
    const ids = named(n)
    const { groups, unplaced } = formGroups(ids, everyone(ids), seed, size)
    assert.deepEqual(unplaced, [])
    assert.deepEqual(groups.flat().sort(), ids)
    for (const group of groups) assert.ok(group.length >= 3 && group.length < 2 * size)
  }
  const ids = named(30)
  assert.deepEqual(formGroups(ids, everyone(ids), seed, 5), formGroups([...ids].reverse(), everyone(ids), seed, 5))
  assert.notDeepEqual(formGroups(ids, everyone(ids), seed, 5), formGroups(ids, everyone(ids), sha256(utf8('other')), 5))
})

test('never joins two members of whom one owner did not approve the other, and says why somebody is left [L-52]', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'shy', 'vain']
  const approvals = new Map<string, string[]>([
    ['a', ['b', 'c', 'd']],
    ['b', ['a', 'c', 'd', 'e']],
    ['c', ['a', 'b', 'd', 'vain']],
    ['d', ['a', 'b', 'c', 'e', 'f', 'g']],
    ['e', ['f', 'g', 'b', 'd']],
    ['f', ['e', 'g', 'd', 'vain']],
    ['g', ['e', 'f', 'd']],
    ['vain', ids],
  ])
  const { groups, unplaced } = formGroups(ids, approvals, seed, 3)
  for (const group of groups) {
    for (const one of group)
      for (const other of group) if (one !== other) assert.ok(approvals.get(one)!.includes(other))
  }
  assert.equal(groups.flat().length, 7)
  assert.deepEqual(
    unplaced.map(({ member }) => member),
    ['shy', 'vain'],
  )
  assert.match(unplaced[0]!.reason, /approved nobody/)
  assert.match(unplaced[1]!.reason, /no group is left/)
})

test('finds the triangles that a greedy choice in one order would miss, and refuses groups of two [L-52]', () => {
  // Two triangles joined by a third one across them: taking that one first strands four members.
  const edges = ['ab', 'bc', 'ac', 'de', 'ef', 'df', 'ad', 'dx', 'ax']
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'x']
  const approvals = new Map(
    ids.map((id) => [id, edges.filter((edge) => edge.includes(id)).map((edge) => edge.replace(id, ''))]),
  )
  const { groups, unplaced } = formGroups(ids, approvals, seed, 3)
  assert.equal(groups.length, 2)
  assert.deepEqual(
    unplaced.map(({ member }) => member),
    ['x'],
  )
  for (const run of [
    () => formGroups(ids, approvals, seed, 2),
    () => formGroups(['a', 'a', 'b'], approvals, seed, 3),
  ]) {
    assert.throws(run, (error) => codeOf(error) === 'BAD_GROUP')
  }
})

test('says what a sum shows, whom it protects from whom, and what nobody checks [L-52]', () => {
  const alone = revealed(4, { colluders: 1, dropouts: 1 })
  assert.equal(alone.attackerShare, 0)
  assert.match(alone.sentences.join(' '), /all members but one pool .* learn the last one's update/)
  assert.match(alone.sentences.join(' '), /range proofs, which are not made/)
  const many = revealed(4, { colluders: 1, dropouts: 1 }, { groups: 9, isRedrawn: true, hasNoise: true })
  assert.equal(many.spoiltGroups, 4)
  assert.equal(many.attackerShare, 1 / 8)
  assert.match(many.sentences.join(' '), /fewer than 1 attacker in 8 members/)
  assert.match(many.sentences.join(' '), /Keep groups for the whole job/)
})
