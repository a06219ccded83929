import type { Body, Hex } from '@potluck/protocol'
import type { Queryable } from '../database/rows.ts'

/**
 * Remembers how far a worker got with a share: the only trace of one that dies before it delivers. `from` is the node key that
 * signed the message; a later beat replaces an earlier one, and one that arrives late changes nothing.
 */
export async function storeBeat(database: Queryable, beat: Body<'beat'>, from: Hex, atMs: number): Promise<void> {
  await database.query(
    `INSERT INTO beats SELECT $1, $2, $3, COALESCE((SELECT node FROM node_changes WHERE key = $4 LIMIT 1), $4), $5, $6, $7
      ON CONFLICT (job, round, share, worker) DO UPDATE SET step = EXCLUDED.step, steps = EXCLUDED.steps, at_ms = EXCLUDED.at_ms
      WHERE beats.at_ms < EXCLUDED.at_ms`,
    [beat.job, beat.round, beat.share, from, beat.step, beat.steps, atMs],
  )
}
