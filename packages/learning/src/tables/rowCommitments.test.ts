import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, merkleProof, merkleRoot, sha256, toHex, utf8, verifyMerkleProof } from '@potluck/protocol'
import { rowBytes, rowCommitments, rowSalts } from './rowCommitments.ts'
import type { TableRow } from './tableRow.ts'

const row = (inputs: number[], label: 0 | 1 = 1): TableRow => ({
  lineIndex: 0,
  inputs: Float64Array.from(inputs),
  label,
})
const rows = [row([63, 1]), row([63, 1]), row([41, 0], 0)]
const salts = rowSalts(sha256(utf8('owner')), 3)

test('commits to a row by its salt and bytes, worked by hand [L-18]', () => {
  assert.equal(toHex(rowBytes(row([1, -2]))), '0x00000000000000023ff0000000000000c00000000000000001')
  const { leaves, root } = rowCommitments(rows, salts)
  assert.deepEqual(leaves[2], sha256(salts[2]!, rowBytes(rows[2]!)))
  assert.deepEqual(root, merkleRoot(leaves))
  assert.ok(verifyMerkleProof(root, leaves[1]!, 1, 3, merkleProof(leaves, 1)))
})

test('hides that two rows are equal, and changes with every value, label and salt [L-18]', () => {
  const { leaves, root } = rowCommitments(rows, salts)
  assert.notDeepEqual(leaves[0], leaves[1])
  const roots = [
    rowCommitments([row([63, 1]), row([63, 2]), rows[2]!], salts),
    rowCommitments([rows[0]!, row([63, 1], 0), rows[2]!], salts),
    rowCommitments(rows, rowSalts(sha256(utf8('another')), 3)),
    rowCommitments([rows[2]!, rows[1]!, rows[0]!], salts),
  ].map((commitment) => toHex(commitment.root))
  assert.equal(new Set([...roots, toHex(root)]).size, 5)
})

test('commits to 0 and -0 alike, and not to the line a row stood on [L-18]', () => {
  assert.deepEqual(rowBytes(row([-0])), rowBytes({ ...row([0]), lineIndex: 9 }))
})

test('refuses missing, short and repeated salts [L-18]', () => {
  for (const bad of [salts.slice(1), [salts[0]!, salts[0]!, salts[1]!], [salts[0]!, salts[1]!, new Uint8Array(8)]]) {
    assert.throws(
      () => rowCommitments(rows, bad),
      (error) => codeOf(error) === 'BAD_SALTS',
    )
  }
})
