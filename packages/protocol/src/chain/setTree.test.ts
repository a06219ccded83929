import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, type Hex, toHex } from '../bytes.ts'
import { keccak256 } from '../keccak.ts'
import { setTree } from './setTree.ts'

const leaf = (i: number): Hex => toHex(keccak256(Uint8Array.of(i)))
const node = (left: Hex, right: Hex): Hex => toHex(keccak256(Uint8Array.of(1), fromHex(left), fromHex(right)))

/** The contract's own walk (libraries/SetTree.sol). */
function verify(root: Hex, hash: Hex, index: number, count: number, proof: Hex[]): boolean {
  let used = 0
  for (let at = index, width = count; width > 1; at >>= 1, width = (width + 1) >> 1) {
    if ((at ^ 1) >= width) continue
    const other = proof[used++]
    if (other === undefined) return false
    hash = at & 1 ? node(other, hash) : node(hash, other)
  }
  return used === proof.length && hash === root
}

test('proves each leaf at its own place only, for 1 to 17 leaves [C-05]', () => {
  for (let count = 1; count <= 17; count++) {
    const hashes = Array.from({ length: count }, (_, i) => leaf(i))
    const tree = setTree(hashes)
    assert.equal(tree.count, count)
    for (const [i, hash] of hashes.entries()) {
      assert.ok(verify(tree.root, hash, i, count, tree.proof(i)), `${i} of ${count}`)
      assert.ok(!verify(tree.root, leaf(99), i, count, tree.proof(i)))
      if (count > 1) assert.ok(!verify(tree.root, hash, (i + 1) % count, count, tree.proof(i)))
    }
  }
})

test('is worked out by hand for three leaves', () => {
  const [a, b, c] = [leaf(0), leaf(1), leaf(2)]
  const tree = setTree([a, b, c])
  assert.equal(tree.root, node(node(a, b), c))
  assert.deepEqual(tree.proof(2), [node(a, b)])
  assert.deepEqual(tree.proof(0), [b, c])
})

test('refuses an empty set and an index outside it', () => {
  assert.throws(() => setTree([]), { code: 'EMPTY_SET' })
  assert.throws(() => setTree([leaf(0)]).proof(1), { code: 'BAD_INDEX' })
})
