import {
  type Eip712Domain,
  fromHex,
  type Hex,
  recoverSigner,
  type SignedVoucher,
  toHex,
  voucherDigest,
} from '@potluck/protocol'
import type { ErrorCode } from './ApiError.ts'
import type { LaneTerms } from './laneTerms.ts'

export type VoucherOrder = {
  domain: Eip712Domain
  channelId: Hex
  lane: number
  requestHash: Hex
  allocationHash: Hex
  terms: LaneTerms
  /** What all lanes of the channel promise so far, this lane included, and what this lane promises. */
  promised: bigint
  accepted: bigint
  deposited: bigint
  /** null in lane 0, which only the deposit bounds. */
  cap: bigint | null
  /** Whose signature the contract will ask for. */
  signer: Hex
}

export type VoucherVerdict = { ok: true; digest: Hex } | { ok: false; code: ErrorCode; message: string }

/**
 * Whether a voucher pays what is due, so that the contract will honour it (G-13).
 *
 * Checks everything the contract checks, and that it is for this request and allocation; each refusal has its own code and shows what was
 * seen and what is wanted. Reads nothing, writes nothing. Cost: one signature recovery, about a millisecond.
 */
export function checkVoucher(voucher: SignedVoucher, order: VoucherOrder): VoucherVerdict {
  const no = (code: ErrorCode, message: string): VoucherVerdict => ({ ok: false, code, message })
  const { domain, terms } = order
  if (voucher.channelId !== order.channelId) {
    const place = `chain ${domain.chainId}, contract ${domain.verifyingContract}`
    return no(
      'voucher_other_channel',
      `the voucher is for channel ${voucher.channelId}; on ${place} it is ${order.channelId}`,
    )
  }
  if (voucher.lane !== order.lane) {
    return no('voucher_other_lane', `the voucher is for lane ${voucher.lane}; this request uses lane ${order.lane}`)
  }
  if (voucher.requestHash !== order.requestHash) {
    const wanted = `this request is ${order.requestHash}: sign its own hash`
    return no('voucher_other_request', `the voucher pays for request ${voucher.requestHash}; ${wanted}`)
  }
  if (voucher.allocationHash !== order.allocationHash) {
    const wanted = `this use goes along ${order.allocationHash}: sign the quoted allocation`
    return no('voucher_other_allocation', `the voucher names allocation ${voucher.allocationHash}; ${wanted}`)
  }
  if (voucher.cumulative < order.accepted) {
    const seen = `the voucher reaches ${voucher.cumulative}, below the ${order.accepted} already accepted in this lane`
    return no('voucher_stale', `${seen}: sign the quote of this answer, which reaches ${terms.due}`)
  }
  if (voucher.from !== terms.from) {
    return no(
      'voucher_wrong_from',
      `the voucher starts from ${voucher.from}; this lane's run starts from ${terms.from}`,
    )
  }
  if (voucher.cumulative < terms.due) {
    return no('voucher_too_small', `the voucher reaches ${voucher.cumulative}; ${terms.due} is due`)
  }
  if (order.cap !== null && voucher.cumulative > order.cap) {
    const remedy = 'ask the payer to raise it'
    return no(
      'voucher_beyond_cap',
      `the voucher reaches ${voucher.cumulative}; the lane is capped at ${order.cap}: ${remedy}`,
    )
  }
  const promised = order.promised + voucher.cumulative - order.accepted
  if (promised > order.deposited) {
    const seen = `all lanes together would promise ${promised}; the deposit is ${order.deposited}`
    return no('voucher_beyond_deposit', `${seen}: top the channel up`)
  }
  const digest = voucherDigest(domain, voucher)
  const signer = signerOf(digest, voucher.signature)
  if (signer !== order.signer.toLowerCase()) {
    const place = `chain ${domain.chainId} and contract ${domain.verifyingContract}`
    return no('voucher_wrong_signer', `signed by ${signer}; for ${place} it must be signed by ${order.signer}`)
  }
  return { ok: true, digest: toHex(digest) }
}

function signerOf(digest: Uint8Array, signature: Hex): string {
  try {
    return recoverSigner(digest, fromHex(signature))
  } catch {
    // No such point on the curve: there is no signer to name.
    return 'nobody'
  }
}
