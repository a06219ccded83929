import { hashLeaf, LEAF_BYTES, leavesOfBytes, verifyMerkleProof } from '@potluck/protocol'
import { merkleProofs } from './merkleProofs.ts'

/** 1 KiB of a model with its place and the way up to the model's root. */
export type Chunk = { readonly index: number; readonly bytes: Uint8Array; readonly proof: readonly Uint8Array[] }

/** A model under the Merkle root of its bytes, in chunks that can be checked one by one. Shared by all that hold it; never changed. */
export type ModelFile = {
  /** 64 hex digits. */
  readonly root: string
  readonly values: Float32Array
  readonly chunks: readonly Chunk[]
}

export const chunkCount = (values: number): number => Math.ceil((4 * values) / LEAF_BYTES)

/** All proofs from one pass over the tree. The bytes are little-endian, as on every machine that runs this. */
export function modelFileOf(given: Float32Array): ModelFile {
  // Shared, so that a model goes to other threads without a copy.
  const values = new Float32Array(new SharedArrayBuffer(4 * given.length))
  values.set(given)
  const leaves = leavesOfBytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  const { root: top, proofs } = merkleProofs(leaves.map(hashLeaf))
  const root = Buffer.from(top).toString('hex')
  const chunks = leaves.map((bytes, index) => ({ index, bytes, proof: proofs[index] ?? [] }))
  return { root, values, chunks }
}

export const chunkBytes = ({ bytes, proof }: Chunk): number => bytes.length + 32 * proof.length + 4

/** Checks chunks against roots; each distinct one once, however many nodes receive it. */
export class ChunkReader {
  verified = 0
  #known = new WeakMap<Chunk, string>()

  belongs(chunk: Chunk, root: string, count: number): boolean {
    if (this.#known.get(chunk) === root) return true
    this.verified++
    const rootBytes = new Uint8Array(Buffer.from(root, 'hex'))
    const isRight = verifyMerkleProof(rootBytes, chunk.bytes, chunk.index, count, [...chunk.proof])
    if (isRight) this.#known.set(chunk, root)
    return isRight
  }
}
