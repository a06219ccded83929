import { type CallReceipt, codeOf, type Hex, receiptDigest, receiptSigner, toHex } from '@potluck/protocol'
import { z } from 'zod'
import { count, hex } from '../database/columns.ts'
import { firstRow, type Queryable } from '../database/rows.ts'

/** The registry's bit for gateways. */
const GATEWAY = 16

export type RefusedReceipt = {
  requestHash: Hex
  reason: string
  /** True when the registry may simply not have been read far enough: worth another try. */
  later: boolean
}
export type StoredReceipts = { stored: number; refused: RefusedReceipt[] }

/** Keeps the receipts that hold (R-20 …), each once, and says of each other one why not. One bad receipt spoils no other. */
export async function storeReceipts(database: Queryable, receipts: readonly CallReceipt[]): Promise<StoredReceipts> {
  const refused: RefusedReceipt[] = []
  let stored = 0
  for (const receipt of receipts) {
    const no = await refusal(database, receipt)
    if (no) refused.push({ requestHash: receipt.requestHash, ...no })
    else stored += await storeReceipt(database, receipt)
  }
  return { stored, refused }
}

async function refusal(
  database: Queryable,
  receipt: CallReceipt,
): Promise<Omit<RefusedReceipt, 'requestHash'> | undefined> {
  if (receipt.to <= receipt.from) {
    return { later: false, reason: `the amount does not grow: from ${receipt.from} to ${receipt.to}` }
  }
  let signer: Hex
  try {
    signer = receiptSigner(receipt)
  } catch (error) {
    if (codeOf(error) !== 'BAD_SIGNATURE') throw error
    return { later: false, reason: (error as Error).message }
  }
  // A key that was replaced since still vouches for what it signed while it was in force.
  const key = await firstRow(
    database,
    z.object({ node: hex, roles: count.nullable() }),
    `SELECT c.node, n.roles FROM node_changes c JOIN nodes n USING (node) JOIN events e USING (seq)
      WHERE c.key = $1 AND NOT EXISTS (SELECT FROM node_changes l JOIN events f USING (seq)
        WHERE l.node = c.node AND l.key IS NOT NULL AND l.seq > c.seq AND f.at_s * 1000 < $2)`,
    [signer, receipt.atMs],
  )
  if (key === undefined) return { later: true, reason: `signed by ${signer}, which was no node's key at that time` }
  if (((key.roles ?? 0) & GATEWAY) === 0)
    return { later: true, reason: `signed by node ${key.node}, which is no gateway` }
  if (receipt.gateway !== key.node && receipt.gateway !== signer) {
    return { later: false, reason: `signed by node ${key.node}, but it names gateway ${receipt.gateway}` }
  }
  return undefined
}

async function storeReceipt(database: Queryable, r: CallReceipt): Promise<number> {
  const result = await database.query(
    `INSERT INTO receipts VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING`,
    [
      toHex(receiptDigest(r)),
      r.requestHash,
      r.responseHash,
      r.version,
      r.modelDigest,
      r.gateway,
      r.provider,
      r.channel,
      r.lane,
      r.from.toString(),
      r.to.toString(),
      r.promptTokens,
      r.completionTokens,
      r.atMs,
      r.signature,
    ],
  )
  return result.rowCount ?? 0
}
