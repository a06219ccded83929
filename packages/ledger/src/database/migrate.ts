import { PotluckError } from '@potluck/protocol'
import type { Pool } from 'pg'
import { z } from 'zod'
import { inTransaction } from './inTransaction.ts'
import { migrations } from './migrations.ts'
import { rows } from './rows.ts'

// Any fixed number: two ledgers that start on one database take turns.
const LOCK = 7_051_846

/** Brings the tables up to date, each step once, all or nothing. Throws SCHEMA_NEWER on a database of a later release. */
export async function migrate(pool: Pool): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    await client.query('CREATE TABLE IF NOT EXISTS migrations (id integer PRIMARY KEY)')
    const done = new Set(
      (await rows(client, z.object({ id: z.number() }), 'SELECT id FROM migrations')).map((row) => row.id),
    )
    const latest = migrations.at(-1)?.id ?? 0
    const beyond = [...done].find((id) => id > latest)
    if (beyond !== undefined) {
      throw new PotluckError(
        'SCHEMA_NEWER',
        `the database is at step ${beyond}, this program knows ${latest}; use the newer program`,
        { found: beyond, known: latest },
        { remedy: 'fix-setup' },
      )
    }
    for (const { id, sql } of migrations) {
      if (done.has(id)) continue
      await client.query(sql)
      await client.query('INSERT INTO migrations VALUES ($1)', [id])
    }
  })
}
