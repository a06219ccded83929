import type { Hex } from '@potluck/protocol'
import type { Pool } from 'pg'
import { z } from 'zod'
import { amount, count, hex } from '../database/columns.ts'
import { inTransaction } from '../database/inTransaction.ts'
import { type Queryable, rows } from '../database/rows.ts'
import { assetsPosition } from './assetsPosition.ts'
import type { Money } from './Money.ts'

export type StatementLine = {
  role: 'owner' | 'contributor' | 'provider' | 'gateway' | 'worker' | 'builder'
  asset: number | null
  version: number | null
  job: number | null
  /** What the asset or job calls itself, once its document is here. */
  name: string | null
  /** Earned in all: credited plus waiting. For a builder: what came back of its escrow. */
  earned: bigint
  /** Of it, what still lies in the version, with its children, or in the job. */
  waiting: bigint
}
export type TokenStatement = {
  token: Hex
  symbol: string
  decimals: number
  earned: bigint
  withdrawn: bigint
  /** Credited, not yet withdrawn. */
  credited: bigint
  /** Not yet credited: needs a pull, a settle, a contributor's or a pay claim; anyone may make them. */
  waiting: bigint
  lines: StatementLine[]
}
export type Statement = { account: Hex; tokens: TokenStatement[] }

const line = z.object({
  role: z.string(),
  version: count.nullable(),
  job: count.nullable(),
  earned: amount,
  waiting: amount,
})

/** Everything an account earned, by what it earned it with; earned = withdrawn + credited + waiting in every token. */
export async function statementOf(pool: Pool, account: Hex, money: Money): Promise<Statement> {
  return inTransaction(
    pool,
    async (client) => {
      const tokens: TokenStatement[] = []
      for (const token of await tokensOf(client, account, money)) {
        const one = await tokenStatement(client, account, token)
        if (one.lines.length > 0) tokens.push({ token, ...money.of(token), ...one })
      }
      return { account, tokens }
    },
    'REPEATABLE READ',
  )
}

async function tokensOf(client: Queryable, account: Hex, money: Money): Promise<Hex[]> {
  const seen = await rows(client, z.object({ token: hex }), 'SELECT DISTINCT token FROM payments WHERE account = $1', [
    account,
  ])
  return [...new Set([...money.tokens, ...seen.map((row) => row.token)])].filter((token) => token !== '0x')
}

async function tokenStatement(
  client: Queryable,
  account: Hex,
  token: Hex,
): Promise<Omit<TokenStatement, 'token' | 'symbol' | 'decimals'>> {
  const credited = await rows(client, line, CREDITED, [account, token])
  const work = await rows(client, line, WORK, [account, token])
  const position = await assetsPosition(client, token)
  const waiting = position.waiting
    .filter((one) => one.account === account)
    .map((one) => ({ role: one.role, version: one.version, job: null, earned: one.amount, waiting: one.amount }))
  const names = await namesOf(client)
  const lines = merge([...credited, ...work, ...waiting]).map((one): StatementLine => {
    const version = one.version === null ? undefined : names.versions.get(one.version)
    const name = (one.job === null ? version?.name : names.jobs.get(one.job)) ?? null
    return { ...one, role: one.role as StatementLine['role'], asset: version?.asset ?? null, name }
  })
  const taken = await rows(
    client,
    z.object({ amount: amount.nullable() }),
    `SELECT sum(amount) AS amount FROM payments WHERE account = $1 AND token = $2
      AND kind IN ('withdrawn', 'credit-withdrawn', 'work-paid', 'refunded')`,
    [account, token],
  )
  const earned = lines.reduce((sum, one) => sum + one.earned, 0n)
  const stillWaiting = lines.reduce((sum, one) => sum + one.waiting, 0n)
  const withdrawn = taken[0]?.amount ?? 0n
  return { earned, withdrawn, credited: earned - stillWaiting - withdrawn, waiting: stillWaiting, lines }
}

/** Credits in Assets and Channels. */
const CREDITED = `
SELECT CASE kind WHEN 'settled' THEN 'owner' ELSE 'contributor' END AS role, version, NULL AS job, sum(amount) AS earned, '0' AS waiting
  FROM payments WHERE account = $1 AND token = $2 AND kind IN ('settled', 'contributed') GROUP BY kind, version
UNION ALL SELECT 'provider', NULLIF(version, 0), NULL, sum(to_provider), '0'
  FROM settlements WHERE provider = $1 AND token = $2 AND to_provider > 0 GROUP BY version
UNION ALL SELECT 'gateway', NULLIF(version, 0), NULL, sum(to_gateway), '0'
  FROM settlements WHERE gateway = $1 AND token = $2 AND to_gateway > 0 GROUP BY version`

/** Pay for work: what the last final payout says, or what was claimed while that document is missing; and a builder's escrow back. */
const WORK = `
WITH paid AS (SELECT job, sum(amount) AS amount FROM payments WHERE account = $1 AND token = $2 AND kind = 'work-paid' GROUP BY job),
  due AS (SELECT j.job, sum(p.amount) AS amount FROM jobs j
    JOIN LATERAL (SELECT report FROM rounds r WHERE r.job = j.job AND r.final_seq IS NOT NULL ORDER BY r.round DESC LIMIT 1) f ON true
    JOIN documents d ON d.digest = f.report AND d.type = 'audit'
    JOIN payouts p ON p.document = d.body ->> 'payout' AND p.account = $1
    WHERE j.token = $2 GROUP BY j.job)
SELECT 'worker' AS role, NULL AS version, job, COALESCE(due.amount, paid.amount) AS earned,
  COALESCE(due.amount, paid.amount) - COALESCE(paid.amount, 0) AS waiting FROM due FULL JOIN paid USING (job)
UNION ALL SELECT 'builder', NULL, job, sum(amount), '0'
  FROM payments WHERE account = $1 AND token = $2 AND kind = 'refunded' GROUP BY job`

type Line = z.output<typeof line>

/** One line for each role in each version or job. */
function merge(lines: readonly Line[]): Line[] {
  const merged = new Map<string, Line>()
  for (const one of lines) {
    const key = `${one.role}/${one.version}/${one.job}`
    const before = merged.get(key)
    const earned = one.earned + (before?.earned ?? 0n)
    const waiting = one.waiting + (before?.waiting ?? 0n)
    merged.set(key, { ...one, earned, waiting })
  }
  return [...merged.values()]
}

async function namesOf(client: Queryable) {
  const versions = await rows(
    client,
    z.object({ version: count, asset: count, name: z.string().nullable() }),
    `SELECT v.version, v.asset, d.body ->> 'name' AS name FROM versions v LEFT JOIN documents d ON d.digest = v.metadata_digest`,
  )
  const jobs = await rows(
    client,
    z.object({ job: count, name: z.string().nullable() }),
    `SELECT j.job, d.body ->> 'name' AS name FROM jobs j LEFT JOIN documents d ON d.digest = j.spec_digest`,
  )
  return {
    versions: new Map(versions.map((row) => [row.version, row])),
    jobs: new Map(jobs.map((row) => [row.job, row.name])),
  }
}
