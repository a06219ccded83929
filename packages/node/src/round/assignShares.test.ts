import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abiEncode, type Hex, keccak256, toHex } from '@potluck/protocol'
import { assignShares } from './assignShares.ts'
import { chooseClaims } from './chooseClaims.ts'

const node = (i: number): Hex => `0x${(i + 1).toString(16).padStart(40, '0')}`
const nodes = (count: number): Hex[] => Array.from({ length: count }, (_, i) => node(i))
const seed = (i: number): Hex => toHex(keccak256(abiEncode(i)))

test('gives everyone the same order from any order of the list, every worker once a share [P-41]', () => {
  const lines = assignShares(seed(1), nodes(5), 5)
  assert.deepEqual(assignShares(seed(1), nodes(5).reverse(), 5), lines)
  for (const line of lines) assert.deepEqual([...line].sort(), nodes(5))
  assert.deepEqual(new Set(lines.map(([first]) => first)), new Set(nodes(5)))
  assert.notDeepEqual(assignShares(seed(2), nodes(5), 5), lines)
})

test('spreads more shares than workers evenly, and gives nobody anything without workers [P-41]', () => {
  const first = assignShares(seed(3), nodes(3), 7).map(([worker]) => worker)
  for (const worker of nodes(3)) assert.ok([2, 3].includes(first.filter((each) => each === worker).length))
  assert.deepEqual(assignShares(seed(3), [], 2), [[], []])
})

test('sorts by Keccak-256 of seed and address [P-41]', () => {
  const ranks = new Map(
    nodes(4).map((worker) => [toHex(keccak256(Buffer.from(seed(4).slice(2), 'hex'), abiEncode(worker))), worker]),
  )
  const order = [...ranks.keys()].sort().map((rank) => ranks.get(rank))
  assert.deepEqual(assignShares(seed(4), nodes(4), 1)[0], order)
})

const [a, b, c] = nodes(3) as [Hex, Hex, Hex]
const lines = [
  [a, b, c],
  [b, c, a],
]
test('counts the delivery first in line, whatever the order of arrival, and none from outside the line [P-41]', () => {
  const late = { worker: b, share: 0, commit: 'late' }
  const own = { worker: a, share: 0, commit: 'own' }
  const other = { worker: c, share: 1, commit: 'other' }
  assert.deepEqual(chooseClaims([late, other, own], lines), [own, other])
  assert.deepEqual(chooseClaims([other, late], lines), [late, other])
  assert.deepEqual(
    chooseClaims(
      [
        { worker: node(9), share: 0 },
        { worker: a, share: 7 },
      ],
      lines,
    ),
    [],
  )
})
