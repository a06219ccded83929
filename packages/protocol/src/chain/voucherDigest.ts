import { z } from 'zod'
import type { Hex } from '../bytes.ts'
import * as f from '../fields.ts'
import { type Eip712Domain, hashStruct, typedDataDigest } from '../keccak.ts'

/** A promise to pay: `cumulative` in all in this lane, of which what lies above `from` goes along this allocation. */
export const voucherSchema = z
  .object({
    channelId: f.hash,
    lane: z.number().int().min(0).max(4_294_967_295),
    from: f.amount,
    cumulative: f.amount,
    requestHash: f.hash,
    allocationHash: f.hash,
  })
  .strict()
export type Voucher = z.infer<typeof voucherSchema>

const VOUCHER =
  'Voucher(bytes32 channelId,uint32 lane,uint128 from,uint128 cumulative,bytes32 requestHash,bytes32 allocationHash)'

/** EIP-712 domain of vouchers: one chain, one `Channels` contract. */
export const channelsDomain = (chainId: number, channels: Hex): Eip712Domain => ({
  name: 'Potluck Channels',
  version: '1',
  chainId,
  verifyingContract: channels,
})

/** The 32 bytes that the lane's key signs. */
export function voucherDigest(domain: Eip712Domain, voucher: Voucher): Uint8Array {
  const { channelId, lane, from, cumulative, requestHash, allocationHash } = voucher
  return typedDataDigest(domain, hashStruct(VOUCHER, channelId, lane, from, cumulative, requestHash, allocationHash))
}
