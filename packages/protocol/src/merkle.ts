/**
 * Binary Merkle trees over SHA-256 (P-01). A leaf is hashed with the prefix 0x00 and a node with 0x01, so that a node can
 * never be passed off as a leaf. A row of odd length is completed by an absent node, 32 zero bytes, so that every tree is a
 * perfect one whose missing places are absent: a proof has as many hashes as the tree has levels.
 */
import { equalBytes } from './bytes.ts'
import { sha256 } from './sha256.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** 1 KiB: small enough to be opened in a contract call, large enough that hashing stays cheap. */
export const LEAF_BYTES = 1024

export const hashLeaf = (leaf: Uint8Array): Uint8Array => sha256(LEAF, leaf)
export const hashNode = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(NODE, left, right)

/** Stands where a tree has no leaf; no hash is known to be it. */
export const ABSENT = new Uint8Array(32)

/** Levels between the leaves and the root of a tree over `count` leaves: 0 for one, 1 for two, 2 for three and four. */
export function treeDepth(count: number): number {
  let depth = 0
  for (let width = count; width > 1; width = Math.ceil(width / 2)) depth++
  return depth
}

function parentRow(row: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = []
  for (let i = 0; i < row.length; i += 2) parents.push(hashNode(row[i] as Uint8Array, row[i + 1] ?? ABSENT))
  return parents
}

/** The root of a tree whose lowest row is given as hashes; at least one. */
export function merkleRootOfNodes(nodes: readonly Uint8Array[]): Uint8Array {
  let row = nodes
  while (row.length > 1) row = parentRow(row)
  return row[0] as Uint8Array
}

/** Sibling hashes of the node at `index` from its row up; as many as the tree has levels. */
export function merkleProofOfNodes(nodes: readonly Uint8Array[], index: number): Uint8Array[] {
  const proof: Uint8Array[] = []
  let row = nodes
  for (let at = index; row.length > 1; at >>= 1) {
    proof.push(row[at ^ 1] ?? ABSENT)
    row = parentRow(row)
  }
  return proof
}

/** The root of a tree of `levels` more levels that holds nothing but this one, at its left end. */
export function raiseRoot(root: Uint8Array, levels: number): Uint8Array {
  let raised = root
  for (let level = 0; level < levels; level++) raised = hashNode(raised, ABSENT)
  return raised
}

/** Root over the leaves in the order given; 32 bytes. The root of no leaves is the hash of one empty leaf. */
export function merkleRoot(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return hashLeaf(new Uint8Array(0))
  return merkleRootOfNodes(leaves.map(hashLeaf))
}

/** Root over the bytes cut into leaves of 1 KiB, the last one shorter when it does not fit. */
export const merkleRootOfBytes = (bytes: Uint8Array): Uint8Array => merkleRoot(leavesOfBytes(bytes))

/** The bytes in leaves of 1 KiB, nothing copied. */
export function leavesOfBytes(bytes: Uint8Array): Uint8Array[] {
  const leaves: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += LEAF_BYTES) leaves.push(bytes.subarray(at, at + LEAF_BYTES))
  return leaves
}

/** Sibling hashes from the leaf up. */
export const merkleProof = (leaves: Uint8Array[], index: number): Uint8Array[] =>
  merkleProofOfNodes(leaves.map(hashLeaf), index)

/** Whether `leaf` stands at `index` of the `count` leaves under `root`. Cost: one hash a row. */
export function verifyMerkleProof(
  root: Uint8Array,
  leaf: Uint8Array,
  index: number,
  count: number,
  proof: Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= count || proof.length !== treeDepth(count)) return false
  let hash = hashLeaf(leaf)
  let at = index
  for (const sibling of proof) {
    hash = at & 1 ? hashNode(sibling, hash) : hashNode(hash, sibling)
    at >>= 1
  }
  return equalBytes(hash, root)
}
