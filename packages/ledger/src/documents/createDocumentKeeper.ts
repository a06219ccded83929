/**
 * Fetches what the chain and gossip only name by digest. Nothing waits for it: the cursor moves on, and a document that nobody serves
 * today is asked for again later, more and more rarely.
 */
import type { AuditReport, Hex, PayoutDocument } from '@potluck/protocol'
import type { Pool } from 'pg'
import { z } from 'zod'
import { count, hex } from '../database/columns.ts'
import { inTransaction } from '../database/inTransaction.ts'
import { isDatabaseAway } from '../database/openDatabase.ts'
import { type Queryable, rows } from '../database/rows.ts'
import { wantDocument } from '../indexing/projection.ts'
import { documentJson, type LedgerDocument, readDocument } from './readDocument.ts'
import { storeReceipts } from './storeReceipts.ts'

/** The block behind a digest, or undefined when nobody has it at the moment. */
export type FetchDocument = (digest: Hex) => Promise<Uint8Array | undefined>

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 60_000
const AT_ONCE = 20
/** Refused receipts of an unknown signer are tried as long as this, then dropped: the registry has been read by then. */
const RECEIPT_ATTEMPTS = 12
/** Anyone can announce batches that do not exist: this many at once are looked for, each for about three hours. */
const BATCHES_WANTED = 5_000
const BATCH_ATTEMPTS = 200

export type DocumentKeeper = {
  /** Tries every document that is due; the number that arrived. Throws only when the database does. */
  sweep(): Promise<number>
  /** Asks for a batch of receipts that gossip announced. False when it is known already or too many are awaited. */
  wantReceipts(digest: Hex): Promise<boolean>
}

export function createDocumentKeeper(deps: {
  pool: Pool
  fetchDocument: FetchDocument
  clock: () => number
  log: (line: string) => void
}): DocumentKeeper {
  const { pool, fetchDocument, clock, log } = deps

  async function later(digest: Hex, attempts: number, reason: string): Promise<void> {
    const delayMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 10))
    await pool.query('UPDATE documents SET attempts = attempts + 1, next_at_ms = $2, reason = $3 WHERE digest = $1', [
      digest,
      clock() + delayMs,
      reason,
    ])
  }

  async function tryOne(digest: Hex, attempts: number): Promise<boolean> {
    let bytes: Uint8Array | undefined
    try {
      bytes = await fetchDocument(digest)
    } catch (error) {
      await later(digest, attempts, (error as Error).message)
      return false
    }
    if (bytes === undefined) {
      await later(digest, attempts, 'nobody serves it yet')
      return false
    }
    const read = readDocument(digest, bytes)
    if (!read.ok && read.kind === 'wrong-bytes') {
      await later(digest, attempts, read.reason)
      return false
    }
    if (!read.ok) {
      log(`document ${digest} is unusable: ${read.reason}`)
      await pool.query(`UPDATE documents SET state = 'bad', reason = $2 WHERE digest = $1`, [digest, read.reason])
      return false
    }
    const open = await inTransaction(pool, async (client) => {
      const unsure = await storeDocument(client, digest, read.document)
      if (unsure !== undefined && attempts < RECEIPT_ATTEMPTS) return unsure
      await client.query(`UPDATE documents SET state = 'held', type = $2, body = $3, reason = NULL WHERE digest = $1`, [
        digest,
        read.document.type,
        documentJson(read.document),
      ])
      return undefined
    })
    if (open !== undefined) await later(digest, attempts, open)
    return open === undefined
  }

  return {
    async sweep() {
      const due = await rows(
        pool,
        z.object({ digest: hex, attempts: count }),
        `SELECT digest, attempts FROM documents WHERE state = 'wanted' AND next_at_ms <= $1 ORDER BY next_at_ms LIMIT $2`,
        [clock(), AT_ONCE],
      )
      let arrived = 0
      for (const { digest, attempts } of due) {
        try {
          if (await tryOne(digest, attempts)) arrived++
        } catch (error) {
          if (isDatabaseAway(error)) throw error
          // One document that cannot be stored must not hold up the others.
          log(`document ${digest} could not be stored: ${(error as Error).message}`)
          await later(digest, attempts, (error as Error).message)
        }
      }
      await pool.query(`DELETE FROM documents WHERE state = 'wanted' AND type = 'receipts' AND attempts > $1`, [
        BATCH_ATTEMPTS,
      ])
      return arrived
    },
    async wantReceipts(digest) {
      const result = await pool.query(
        `INSERT INTO documents (digest, state, type) SELECT $1, 'wanted', 'receipts'
          WHERE (SELECT count(*) FROM documents WHERE state = 'wanted' AND type = 'receipts') < $2 ON CONFLICT DO NOTHING`,
        [digest, BATCHES_WANTED],
      )
      return result.rowCount === 1
    },
  }
}

/** Writes the rows of a document; the reason when a part of it must be looked at again. */
async function storeDocument(client: Queryable, digest: Hex, document: LedgerDocument): Promise<string | undefined> {
  if (document.type === 'audit') await storeReport(client, digest, document)
  if (document.type === 'payout') await storePayout(client, digest, document)
  if (document.type !== 'receipts') return undefined
  const { refused } = await storeReceipts(client, document.receipts)
  return refused.find((receipt) => receipt.later)?.reason
}

async function storeReport(client: Queryable, digest: Hex, report: AuditReport): Promise<void> {
  for (const [position, claim] of report.claims.entries()) {
    const { valueMicro = null, countedMicro = null, finding = null } = claim.contribution ?? {}
    await client.query(
      'INSERT INTO claims VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING',
      [
        digest,
        position,
        report.job,
        report.round,
        claim.hash,
        claim.worker,
        claim.share,
        claim.ratePpm,
        claim.auditor,
        claim.outcome,
        claim.weightPpm,
        claim.pay.toString(),
        report.payout,
        valueMicro,
        countedMicro,
        finding?.kind ?? null,
        finding && 'share' in finding ? finding.share : null,
      ],
    )
  }
  await wantDocument(client, report.payout)
}

async function storePayout(client: Queryable, digest: Hex, payout: PayoutDocument): Promise<void> {
  for (const [position, leaf] of payout.leaves.entries()) {
    await client.query('INSERT INTO payouts VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING', [
      digest,
      position,
      payout.job,
      payout.round,
      leaf.account,
      leaf.amount.toString(),
    ])
  }
}
