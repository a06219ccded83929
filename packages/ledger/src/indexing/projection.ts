import type { Hex } from '@potluck/protocol'
import type { Queryable } from '../database/rows.ts'
import type { EventArgs } from './EventArgs.ts'

export type PlacedEvent = { seq: number; block: number; txHash: Hex; contract: string; name: string; args: EventArgs }

/** The addresses that give a payer away as one of our own contracts. */
export type Contracts = Readonly<Record<'jobs' | 'channels', Hex>>
export type Project = (database: Queryable, event: PlacedEvent, contracts: Contracts) => Promise<void>

export type Projections = Readonly<Record<string, Project>>

const NO_DIGEST = `0x${'0'.repeat(64)}`

/** One row; column names are ours, never input. */
export async function insertRow(database: Queryable, table: string, row: Record<string, unknown>): Promise<void> {
  const names = Object.keys(row)
  const places = names.map((_, i) => `$${i + 1}`)
  await database.query(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places.join(', ')})`, Object.values(row))
}

/** Asks for a document by digest, unless that was done. */
export async function wantDocument(database: Queryable, digest: string): Promise<void> {
  if (digest === NO_DIGEST) return
  await database.query(`INSERT INTO documents (digest, state) VALUES ($1, 'wanted') ON CONFLICT DO NOTHING`, [digest])
}

/** A row of `payments`, with the event's place. */
export const insertPayment = (database: Queryable, event: PlacedEvent, row: Record<string, unknown>) =>
  insertRow(database, 'payments', { seq: event.seq, tx_hash: event.txHash, ...row })
