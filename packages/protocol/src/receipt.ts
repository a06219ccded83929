import { encode } from '@ipld/dag-cbor'
import { fromHex, type Hex, toHex } from './bytes.ts'
import type { CallReceipt } from './documents.ts'
import { sha256 } from './sha256.ts'
import { recoverSigner, signDigest } from './signature.ts'

export type UnsignedReceipt = Omit<CallReceipt, 'signature'>

/** The receipt as it is written in JSON and CBOR: amounts as decimal strings. */
export const receiptWire = <R extends UnsignedReceipt>(receipt: R) => ({
  ...receipt,
  from: String(receipt.from),
  to: String(receipt.to),
})

/** What a gateway signs: SHA-256 of the canonical CBOR of a receipt without its signature. 32 bytes. */
export function receiptDigest(receipt: UnsignedReceipt): Uint8Array {
  const { type, requestHash, responseHash, version, modelDigest, gateway, provider, channel, lane } = receipt
  const { from, to, promptTokens, completionTokens, atMs } = receipt
  const parties = { gateway, provider, channel, lane }
  const amounts = { from: String(from), to: String(to), promptTokens, completionTokens }
  return sha256(encode({ type, requestHash, responseHash, version, modelDigest, ...parties, ...amounts, atMs }))
}

/** `secret` is the gateway's node key. */
export const signReceipt = (receipt: UnsignedReceipt, secret: Uint8Array): CallReceipt => ({
  ...receipt,
  signature: toHex(signDigest(receiptDigest(receipt), secret)),
})

/** Whose node key signed a receipt. Throws BAD_SIGNATURE when nobody's did. */
export const receiptSigner = (receipt: CallReceipt): Hex =>
  recoverSigner(receiptDigest(receipt), fromHex(receipt.signature))

/** True when `nodeKey` signed exactly this receipt. */
export function verifyReceipt(receipt: CallReceipt, nodeKey: Hex): boolean {
  try {
    return receiptSigner(receipt) === nodeKey.toLowerCase()
  } catch {
    // No point on the curve: signed by nobody.
    return false
  }
}

/** The block that a batch of receipts is published as. */
export const encodeReceiptBatch = (receipts: readonly CallReceipt[]): Uint8Array =>
  encode({ type: 'receipts', receipts: receipts.map(receiptWire) })
