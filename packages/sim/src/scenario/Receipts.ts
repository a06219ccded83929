import { fastRecover } from '@potluck/node/fastRecover'
import { type Hex, hashLeaf, sha256, signDigest, utf8, verifyMerkleProof } from '@potluck/protocol'
import { merkleProofs } from './merkleProofs.ts'

/** A keeper's word that it has a delivery on disk: its signature under the root of all that it synced with it. */
export type Receipt = {
  readonly root: Uint8Array
  readonly signature: Uint8Array
  readonly index: number
  readonly count: number
  readonly proof: readonly Uint8Array[]
}

const purpose = utf8('potluck simulated receipt')
const bytesOf = (id: string): Uint8Array => new Uint8Array(Buffer.from(id, 'hex'))

/** Receipts for a batch of deliveries, in order; one signature for all of them. */
export function signReceipts(ids: readonly string[], secret: Uint8Array): Receipt[] {
  const { root, proofs } = merkleProofs(ids.map((id) => hashLeaf(bytesOf(id))))
  const signature = signDigest(sha256(purpose, root), secret)
  return proofs.map((proof, index) => ({ root, signature, index, count: ids.length, proof }))
}

export const receiptBytes = ({ proof }: Receipt): number => 32 + 65 + 8 + 32 * proof.length

/** Checks receipts; each distinct signature once. */
export class ReceiptReader {
  verified = 0
  #signers = new WeakMap<Uint8Array, Hex>()

  /** Who signed for the delivery; undefined when the receipt says nothing about it. */
  signerOf(receipt: Receipt, id: string): Hex | undefined {
    const { root, signature, index, count, proof } = receipt
    if (!verifyMerkleProof(root, bytesOf(id), index, count, [...proof])) return undefined
    const known = this.#signers.get(signature)
    if (known) return known
    this.verified++
    const signer = fastRecover(sha256(purpose, root), signature)
    this.#signers.set(signature, signer)
    return signer
  }
}
