import { type Hex, merkleRootOfBytes, merkleRootOfNodes, raiseRoot, toHex, treeDepth } from '@potluck/protocol'
import { littleEndianBytes } from './littleEndianBytes.ts'

const ELEMENTS_PER_LEAF = 256

/** Levels of the tree over a tensor of so many elements, 256 a leaf (D-01). */
export const tensorDepth = (elements: number): number => treeDepth(Math.ceil(elements / ELEMENTS_PER_LEAF))

/** The root over the little-endian bytes of a tensor (D-01). Cost: one pass of SHA-256. */
export const tensorRoot = (values: Float32Array | Int32Array): Uint8Array =>
  merkleRootOfBytes(littleEndianBytes(values))

/** The state root (D-02) over parts, in the order given. */
export function stateRoot(parts: readonly Float32Array[]): Hex {
  const sizes = parts.map(({ length }) => length)
  return toHex(joinParts(parts.map(tensorRoot), sizes))
}

/** The state root from the tensor roots of its parts and their sizes in elements. */
export function joinParts(roots: readonly Uint8Array[], sizes: readonly number[]): Uint8Array {
  const deepest = Math.max(...sizes.map(tensorDepth))
  return merkleRootOfNodes(roots.map((root, i) => raiseRoot(root, deepest - tensorDepth(sizes[i] as number))))
}
