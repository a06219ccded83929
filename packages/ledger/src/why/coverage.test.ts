import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coverage } from './coverage.ts'
import type { Receipt, Voucher } from './Records.ts'

const hash = `0x${'11'.repeat(32)}` as const
const address = `0x${'22'.repeat(20)}` as const
const place = { channel: hash, lane: 0, requestHash: hash }
const voucher = (from: bigint, cumulative: bigint): Voucher => ({
  ...place,
  seq: 1,
  block: 0,
  tx: hash,
  cumulative,
  amount: cumulative - from,
  settlement: 1,
})
const receipt = (from: bigint, to: bigint): Receipt => ({
  ...place,
  id: hash,
  version: 1,
  gateway: address,
  provider: address,
  from,
  to,
  promptTokens: 1,
  completionTokens: 1,
  atMs: 0,
})

test('counts of each receipt what the voucher claimed, and names what no receipt accounts for [R-32]', () => {
  const receipts = [receipt(0n, 10n), receipt(10n, 25n), receipt(30n, 50n)]
  assert.deepEqual(coverage(voucher(5n, 40n), receipts), { parts: [5n, 15n, 10n], uncovered: 5n })
})

test('counts nothing twice when receipts overlap [R-32]', () => {
  const receipts = [receipt(0n, 30n), receipt(10n, 20n), receipt(20n, 40n)]
  assert.deepEqual(coverage(voucher(0n, 40n), receipts), { parts: [30n, 0n, 10n], uncovered: 0n })
})
