import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareBytes, concatBytes, fromHex, type Hex, toHex, uint64 } from '../bytes.ts'
import { abiWord, keccak256 } from '../keccak.ts'
import { type SumSibling, sumTree } from './sumTree.ts'

const account = (i: number): Hex => `0x${i.toString(16).padStart(40, '0')}`

/** The contract's own walk (libraries/MerkleSum.sol). */
function verify(root: Hex, total: bigint, index: number, owner: Hex, amount: bigint, proof: SumSibling[]): boolean {
  const word = (value: bigint) => abiWord(value).subarray(16)
  let hash = keccak256(Uint8Array.of(0), uint64(index), fromHex(owner), word(amount))
  let sum = amount
  for (const sibling of proof) {
    const mine = concatBytes(hash, word(sum))
    const other = concatBytes(fromHex(sibling.hash), word(sibling.sum))
    const [low, high] = compareBytes(mine, other) < 0 ? [mine, other] : [other, mine]
    hash = keccak256(Uint8Array.of(1), low, high)
    sum += sibling.sum
    if (sum > total) return false
  }
  return toHex(hash) === root && sum === total
}

test('proves each amount and no other, for 1 to 17 leaves [C-04]', () => {
  for (let count = 1; count <= 17; count++) {
    const leaves = Array.from({ length: count }, (_, i) => ({ account: account(i), amount: BigInt((i * 7919) % 1000) }))
    const tree = sumTree(leaves)
    assert.equal(
      tree.total,
      leaves.reduce((sum, { amount }) => sum + amount, 0n),
    )
    for (const [i, leaf] of leaves.entries()) {
      const check = (index: number, owner: Hex, amount: bigint) =>
        verify(tree.root, tree.total, index, owner, amount, tree.proof(i))
      assert.ok(check(i, leaf.account, leaf.amount), `${i} of ${count}`)
      assert.ok(!check(i, leaf.account, leaf.amount + 1n))
      assert.ok(!check(i + 1, leaf.account, leaf.amount))
      assert.ok(!check(i, account(99), leaf.amount))
    }
  }
})

test('has a zero root for nobody and refuses sums beyond 128 bits', () => {
  assert.deepEqual({ ...sumTree([]), proof: null }, { root: `0x${'00'.repeat(32)}`, total: 0n, proof: null })
  const half = { account: account(1), amount: 1n << 127n }
  assert.throws(() => sumTree([half, half]), { code: 'SUM_TOO_LARGE' })
  assert.throws(() => sumTree([{ ...half, amount: -1n }]), { code: 'SUM_TOO_LARGE' })
  assert.throws(() => sumTree([half]).proof(1), { code: 'BAD_INDEX' })
})
