/** What the payment store keeps, and how it is read from rows. */
import type { SQLInputValue } from 'node:sqlite'
import { type Allocation, allocationSchema, callReceipt, type Hex, type SignedVoucher } from '@potluck/protocol'
import type { LaneState } from './laneTerms.ts'

/** `finish` of a call whose text is not kept any more. */
export const FORGOTTEN = 'forgotten'

export type CallRecord = {
  id: string
  channel: Hex
  lane: number
  requestHash: Hex
  idempotencyKey: string | null
  version: number
  modelDigest: Hex
  promptTokens: number
  completionTokens: number
  text: string
  finish: string | null
  isDelivered: boolean
  atMs: number
}

export type PaidStep = {
  channelId: Hex
  lane: number
  /** null when credit of an earlier voucher pays. */
  paid: { voucher: SignedVoucher; digest: Hex } | null
  allocation: Allocation
  /** The lane as the terms were computed from: the step is refused when it moved since. */
  expected: LaneState
  price: bigint
  /** Deposit of the channel on chain. */
  deposited: bigint
  call: Pick<CallRecord, 'id' | 'requestHash' | 'idempotencyKey' | 'version' | 'modelDigest'>
  promptTokens: number
  text: string
  completionTokens: number
  /** Why the answer ended; null when more may come. */
  finish: string | null
}

export type Run = {
  channel: Hex
  lane: number
  from: bigint
  allocation: Allocation
  cumulative: bigint
  requestHash: Hex
  signature: Hex
}

export type Row = Record<string, SQLInputValue>
export const text = (row: Row, column: string): string => String(row[column])
export const hex = (row: Row, column: string): Hex => text(row, column) as Hex
export const big = (row: Row, column: string): bigint => BigInt(text(row, column))

export const laneOfRow = (row: Row): LaneState => ({
  accepted: big(row, 'accepted'),
  spent: big(row, 'spent'),
  runFrom: big(row, 'run_from'),
  runAllocation: text(row, 'run_allocation') as Hex | '',
})

export const callOfRow = (row: Row): CallRecord => ({
  id: text(row, 'id'),
  channel: hex(row, 'channel'),
  lane: Number(row.lane),
  requestHash: hex(row, 'request_hash'),
  idempotencyKey: row.idempotency_key === null ? null : text(row, 'idempotency_key'),
  version: Number(row.version),
  modelDigest: hex(row, 'model_digest'),
  promptTokens: Number(row.prompt_tokens),
  completionTokens: Number(row.completion_tokens),
  text: text(row, 'text'),
  finish: row.finish === null ? null : text(row, 'finish'),
  isDelivered: Number(row.delivered) === 1,
  atMs: Number(row.at_ms),
})

export const receiptOfRow = (row: Row) => ({
  seq: Number(row.seq),
  receipt: callReceipt.parse(JSON.parse(text(row, 'document'))),
})

export const runOfRow = (row: Row): Run => ({
  channel: hex(row, 'channel'),
  lane: Number(row.lane),
  from: big(row, 'run_from'),
  allocation: allocationSchema.parse(JSON.parse(text(row, 'allocation'))),
  cumulative: big(row, 'cumulative'),
  requestHash: hex(row, 'request_hash'),
  signature: hex(row, 'signature'),
})
