import type { Pool } from 'pg'
import { z } from 'zod'
import { count } from '../database/columns.ts'
import { rows } from '../database/rows.ts'

export type Health = {
  ok: boolean
  database: 'up' | 'down'
  chain: 'up' | 'down'
  /** Last block in the tables, last settled block of the chain, and the difference. Null while unknown. */
  block: number | null
  head: number | null
  lagBlocks: number | null
  /** What the indexer last stumbled over; null when it runs. */
  trouble: string | null
  /** Histories the chain has changed since this process started. */
  rollBacks: number
}

const counts = `
SELECT 'events' AS name, '' AS label, count(*) AS value FROM events
UNION ALL SELECT 'receipts', '', count(*) FROM receipts
UNION ALL SELECT 'documents', state, count(*) FROM documents GROUP BY state
UNION ALL SELECT 'payments', kind, count(*) FROM payments GROUP BY kind`

/** The Prometheus text of the ledger's numbers; without the counts while the database is away. */
export async function metricsText(pool: Pool, health: Health): Promise<string> {
  const lines = [
    `potluck_ledger_up ${health.ok ? 1 : 0}`,
    `potluck_ledger_block ${health.block ?? 'NaN'}`,
    `potluck_ledger_lag_blocks ${health.lagBlocks ?? 'NaN'}`,
    `potluck_ledger_roll_backs_total ${health.rollBacks}`,
  ]
  if (health.database === 'down') return `${lines.join('\n')}\n`
  const found = await rows(pool, z.object({ name: z.string(), label: z.string(), value: count }), counts)
  for (const { name, label, value } of found) {
    const labels = label === '' ? '' : `{${name === 'documents' ? 'state' : 'kind'}="${label}"}`
    lines.push(`potluck_ledger_${name}${labels} ${value}`)
  }
  return `${lines.join('\n')}\n`
}
