/**
 * Binary Merkle trees over SHA-256 (P-01). A leaf is hashed with the prefix 0x00 and a node with 0x01, so that a node can
 * never be passed off as a leaf. A row of odd length carries its last hash up unchanged: no leaf is counted twice.
 */
import { equalBytes } from './bytes.ts'
import { sha256 } from './sha256.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** 1 KiB: small enough to be opened in a contract call, large enough that hashing stays cheap. */
export const LEAF_BYTES = 1024

export const hashLeaf = (leaf: Uint8Array): Uint8Array => sha256(LEAF, leaf)
export const hashNode = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(NODE, left, right)

function parentRow(row: Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = []
  for (let i = 0; i < row.length; i += 2) {
    const [left, right] = [row[i] as Uint8Array, row[i + 1]]
    parents.push(right ? hashNode(left, right) : left)
  }
  return parents
}

/** Root over the leaves in the order given; 32 bytes. The root of no leaves is the hash of one empty leaf. */
export function merkleRoot(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return hashLeaf(new Uint8Array(0))
  let row = leaves.map(hashLeaf)
  while (row.length > 1) row = parentRow(row)
  return row[0] as Uint8Array
}

/** Root over the bytes cut into leaves of 1 KiB, the last one shorter when it does not fit. */
export function merkleRootOfBytes(bytes: Uint8Array): Uint8Array {
  const leaves: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += LEAF_BYTES) leaves.push(bytes.subarray(at, at + LEAF_BYTES))
  return merkleRoot(leaves)
}

/** Sibling hashes from the leaf up; rows where the leaf has no sibling are left out. */
export function merkleProof(leaves: Uint8Array[], index: number): Uint8Array[] {
  const proof: Uint8Array[] = []
  let row = leaves.map(hashLeaf)
  for (let at = index; row.length > 1; at >>= 1) {
    const sibling = row[at ^ 1]
    if (sibling) proof.push(sibling)
    row = parentRow(row)
  }
  return proof
}

/** Whether `leaf` stands at `index` of the `count` leaves under `root`. Cost: one hash a row. */
export function verifyMerkleProof(
  root: Uint8Array,
  leaf: Uint8Array,
  index: number,
  count: number,
  proof: Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= count) return false
  let hash = hashLeaf(leaf)
  let used = 0
  for (let at = index, width = count; width > 1; at >>= 1, width = (width + 1) >> 1) {
    const sibling = at ^ 1
    if (sibling >= width) continue
    const other = proof[used++]
    if (!other) return false
    hash = at & 1 ? hashNode(other, hash) : hashNode(hash, other)
  }
  return used === proof.length && equalBytes(hash, root)
}
