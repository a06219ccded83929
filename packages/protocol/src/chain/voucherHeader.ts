/**
 * How a caller and a gateway speak about money over HTTP (P-60): two request headers, and the quote that asks for a voucher.
 *
 * Headers are base64url of canonical CBOR: hashes and addresses as lower-case hex, amounts as decimal strings.
 */
import { decode, encode } from '@ipld/dag-cbor'
import { z } from 'zod'
import { describeIssues } from '../envelope.ts'
import * as f from '../fields.ts'
import { PotluckError } from '../PotluckError.ts'
import { allocationSchema } from './allocationHash.ts'
import { fromBase64url, toBase64url } from './base64url.ts'
import { type ChannelConfig, channelConfig } from './channelIdOf.ts'
import { type Voucher, voucherSchema } from './voucherDigest.ts'

export const VOUCHER_HEADER = 'potluck-voucher'
export const CHANNEL_HEADER = 'potluck-channel'
/** More than any voucher or config takes; refuses before decoding. */
const MAX_HEADER_CHARS = 2_048

export const signedVoucher = voucherSchema.extend({ signature: f.signature }).strict()
export type SignedVoucher = z.infer<typeof signedVoucher>

/** What a gateway says with status 402, and in a stream as the event `potluck.due`: sign this and go on. */
export const quoteSchema = z.object({
  requestHash: f.hash,
  channelId: f.hash,
  lane: z.number().int().min(0).max(4_294_967_295),
  from: f.amount,
  /** Cumulative amount that the next voucher must reach. */
  due: f.amount,
  allocation: allocationSchema,
  allocationHash: f.hash,
  domain: z.object({ name: z.string(), version: z.string(), chainId: z.number().int(), verifyingContract: f.address }),
})
export type Quote = z.infer<typeof quoteSchema>

/** The quote as it stands in JSON: amounts as decimal strings. */
export const quoteJson = (quote: Quote) => ({ ...quote, from: String(quote.from), due: String(quote.due) })

/** Value of the header `potluck-voucher`. */
export function encodeVoucherHeader(voucher: Voucher & { signature: SignedVoucher['signature'] }): string {
  return toBase64url(encode({ ...voucher, from: String(voucher.from), cumulative: String(voucher.cumulative) }))
}

/** The voucher in a header. Checks its form, not its signature. Throws BAD_VOUCHER_HEADER. */
export const decodeVoucherHeader = (header: string): SignedVoucher =>
  decodeHeader(header, signedVoucher, 'BAD_VOUCHER_HEADER', VOUCHER_HEADER)

/** Value of the header `potluck-channel`. */
export const encodeChannelHeader = (config: ChannelConfig): string => toBase64url(encode(config))

/** The channel config in a header. Throws BAD_CHANNEL_HEADER. */
export const decodeChannelHeader = (header: string): ChannelConfig =>
  decodeHeader(header, channelConfig, 'BAD_CHANNEL_HEADER', CHANNEL_HEADER)

function decodeHeader<T>(header: string, schema: z.ZodType<T, z.ZodTypeDef, unknown>, code: string, name: string): T {
  if (header.length > MAX_HEADER_CHARS) {
    throw new PotluckError(code, `${name}: ${header.length} characters, the limit is ${MAX_HEADER_CHARS}`)
  }
  let value: unknown
  try {
    value = decode(fromBase64url(header))
  } catch (cause) {
    throw new PotluckError(code, `${name}: not base64url of canonical CBOR: ${(cause as Error).message}`, {}, { cause })
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new PotluckError(code, `${name}: ${describeIssues(parsed.error)}`)
  return parsed.data
}
