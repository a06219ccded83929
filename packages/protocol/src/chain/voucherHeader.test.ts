import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '@ipld/dag-cbor'
import type { Hex } from '../bytes.ts'
import { toBase64url } from './base64url.ts'
import {
  decodeChannelHeader,
  decodeVoucherHeader,
  encodeChannelHeader,
  encodeVoucherHeader,
  quoteJson,
  quoteSchema,
} from './voucherHeader.ts'

const hash = (byte: string): Hex => `0x${byte.repeat(32)}`
const address = (byte: string): Hex => `0x${byte.repeat(20)}`
const voucher = {
  channelId: hash('01'),
  lane: 3,
  from: 5n,
  cumulative: 1n << 79n,
  requestHash: hash('02'),
  allocationHash: hash('03'),
  signature: `0x${'04'.repeat(65)}` as Hex,
}
const config = {
  payer: address('01'),
  signer: address('02'),
  operator: address('03'),
  token: address('04'),
  withdrawDelaySeconds: 60,
  salt: hash('05'),
}

test('reads back vouchers, channels and quotes, amounts beyond 2^53 included [P-60]', () => {
  assert.deepEqual(decodeVoucherHeader(encodeVoucherHeader(voucher)), voucher)
  assert.deepEqual(decodeChannelHeader(encodeChannelHeader(config)), config)
  const { channelId, lane, requestHash, allocationHash } = voucher
  const allocation = { version: 1, provider: address('06'), providerShare: 1, gateway: address('07'), gatewayShare: 2 }
  const domain = { name: 'Potluck Channels', version: '1', chainId: 1, verifyingContract: address('08') }
  const quote = { requestHash, channelId, lane, from: 1n, due: 1n << 79n, allocation, allocationHash, domain }
  assert.deepEqual(quoteSchema.parse(JSON.parse(JSON.stringify(quoteJson(quote)))), quote)
})

test('refuses headers that are too long, not base64url, not CBOR, or say something else [P-60]', () => {
  const refused = (header: string, message: RegExp) =>
    assert.throws(() => decodeVoucherHeader(header), { code: 'BAD_VOUCHER_HEADER', message })
  refused('A'.repeat(2_049), /limit/)
  refused('a b', /base64url/)
  refused('AAAA', /CBOR/)
  refused(encodeChannelHeader(config), /channelId/)
  const amounts = { from: '5', cumulative: '6' }
  refused(toBase64url(encode({ ...voucher, ...amounts, from: 5 })), /from/)
  refused(toBase64url(encode({ ...voucher, ...amounts, from: '-5' })), /from/)
  refused(toBase64url(encode({ ...voucher, ...amounts, lane: -1 })), /lane/)
  refused(toBase64url(encode({ ...voucher, ...amounts, more: 1 })), /more/)
  assert.throws(() => decodeChannelHeader('AAAA'), { code: 'BAD_CHANNEL_HEADER' })
})
