import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { concatBytes, toHex, utf8 } from './bytes.ts'
import { hashLeaf, hashNode, merkleProof, merkleRoot, merkleRootOfBytes, verifyMerkleProof } from './merkle.ts'

const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => utf8(`leaf ${i}`))
const sha = (...parts: Uint8Array[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return `0x${hash.digest('hex')}`
}

test('is worked out by hand for three leaves, with another SHA-256 [P-01]', () => {
  const [a, b, c] = leaves(3) as [Uint8Array, Uint8Array, Uint8Array]
  const raw = (hex: string): Uint8Array => Buffer.from(hex.slice(2), 'hex')
  const leaf = (bytes: Uint8Array): Uint8Array => raw(sha(Uint8Array.of(0), bytes))
  const pair = raw(sha(Uint8Array.of(1), leaf(a), leaf(b)))
  assert.equal(
    toHex(merkleRoot([a, b, c])),
    sha(Uint8Array.of(1), pair, raw(sha(Uint8Array.of(1), leaf(c), new Uint8Array(32)))),
  )
  assert.equal(toHex(merkleRoot([])), sha(Uint8Array.of(0)))
})

test('proves each leaf at its own place only, for 1 to 17 leaves [P-01]', () => {
  for (let count = 1; count <= 17; count++) {
    const all = leaves(count)
    const root = merkleRoot(all)
    for (const [i, leaf] of all.entries()) {
      const proof = merkleProof(all, i)
      assert.ok(verifyMerkleProof(root, leaf, i, count, proof), `${i} of ${count}`)
      assert.ok(!verifyMerkleProof(root, utf8('other'), i, count, proof))
      assert.ok(!verifyMerkleProof(root, leaf, i, count, [...proof, hashLeaf(leaf)]), 'a longer proof')
      if (proof.length > 0) assert.ok(!verifyMerkleProof(root, leaf, i, count, proof.slice(1)), 'a shorter proof')
      if (count > 1) assert.ok(!verifyMerkleProof(root, leaf, (i + 1) % count, count, proof), 'another place')
      for (const index of [-1, count, 0.5, Number.NaN]) assert.ok(!verifyMerkleProof(root, leaf, index, count, proof))
    }
  }
})

test('does not take a node for a leaf, nor the same leaves twice for a longer list [P-01]', () => {
  const [a, b] = leaves(2) as [Uint8Array, Uint8Array]
  const root = merkleRoot([a, b])
  const node = concatBytes(hashLeaf(a), hashLeaf(b))
  assert.ok(!verifyMerkleProof(root, node, 0, 1, []))
  assert.notDeepEqual(merkleRoot([node]), root)
  // The classic fault: an odd row that repeats its last hash gives [a, b, c] and [a, b, c, c] one root.
  const three = leaves(3)
  assert.notDeepEqual(merkleRoot(three), merkleRoot([...three, three[2] as Uint8Array]))
  assert.notDeepEqual(hashNode(hashLeaf(a), hashLeaf(b)), hashNode(hashLeaf(b), hashLeaf(a)))
})

test('cuts bytes into leaves of 1 KiB, the last one as short as it is [P-01]', () => {
  const bytes = Uint8Array.from({ length: 2_500 }, (_, i) => i % 251)
  const cut = [bytes.subarray(0, 1024), bytes.subarray(1024, 2048), bytes.subarray(2048)]
  assert.deepEqual(merkleRootOfBytes(bytes), merkleRoot(cut))
  const padded = concatBytes(bytes, new Uint8Array(3 * 1024 - 2_500))
  assert.notDeepEqual(merkleRootOfBytes(bytes), merkleRootOfBytes(padded))
  assert.deepEqual(merkleRootOfBytes(new Uint8Array()), merkleRoot([]))
})
