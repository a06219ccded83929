import type { Pool } from 'pg'
import { z } from 'zod'
import { amount, count, hex } from '../database/columns.ts'
import { rows } from '../database/rows.ts'

const job = z.object({
  job: count,
  builder: hex,
  token: hex,
  name: z.string().nullable(),
  kind: z.string().nullable(),
  trustClass: count,
  rounds: count,
  payPerRound: amount,
  /** Rounds that are final. */
  finalRounds: count,
  state: z.enum(['enrolling', 'running', 'done', 'cancelled']),
  /** The model version made of it. */
  version: count.nullable(),
})
export type JobSummary = z.output<typeof job>

const SUMMARY = `
SELECT j.job, j.builder, j.token, d.body ->> 'name' AS name, d.body ->> 'kind' AS kind, j.trust_class AS "trustClass", j.rounds,
  j.pay_per_round AS "payPerRound", (SELECT count(*) FROM rounds r WHERE r.job = j.job AND r.final_seq IS NOT NULL) AS "finalRounds",
  CASE WHEN EXISTS (SELECT FROM round_steps s WHERE s.job = j.job AND s.step = 'cancelled') THEN 'cancelled'
    WHEN EXISTS (SELECT FROM round_steps s WHERE s.job = j.job AND s.step = 'done') THEN 'done'
    WHEN EXISTS (SELECT FROM round_steps s WHERE s.job = j.job AND s.step = 'opened') THEN 'running' ELSE 'enrolling' END AS state,
  (SELECT (s.detail ->> 'version')::bigint FROM round_steps s WHERE s.job = j.job AND s.step = 'published' LIMIT 1) AS version
  FROM jobs j LEFT JOIN documents d ON d.digest = j.spec_digest`

export function listJobs(pool: Pool): Promise<JobSummary[]> {
  return rows(pool, job, `${SUMMARY} ORDER BY j.job`)
}

const round = z.object({
  round: count,
  /** Claims in the fixed set; null before it is fixed. */
  claims: count.nullable(),
  beacon: hex.nullable(),
  report: hex.nullable(),
  stateDigest: hex.nullable(),
  payoutTotal: amount.nullable(),
  final: z.boolean(),
})
const claim = z.object({
  round: count,
  hash: hex,
  worker: hex,
  share: count,
  ratePpm: count,
  auditor: hex.nullable(),
  outcome: z.string(),
  weightPpm: count,
  /** Millionths of a nat; null where contributions are not measured (P-58). */
  valueMicro: count.nullable(),
  countedMicro: count.nullable(),
  pay: amount,
})
const member = z.object({ node: hex, role: count })
const conviction = z.object({ round: count, node: hex, of: z.string(), subject: hex, slashed: amount, tx: hex })

export type JobRecord = JobSummary & {
  members: z.output<typeof member>[]
  roundsSoFar: z.output<typeof round>[]
  claims: z.output<typeof claim>[]
  convictions: z.output<typeof conviction>[]
}

/** A job with its members, rounds, claims of final rounds and convictions; undefined when there is none. */
export async function jobOf(pool: Pool, id: number): Promise<JobRecord | undefined> {
  const [summary] = await rows(pool, job, `${SUMMARY} WHERE j.job = $1`, [id])
  if (summary === undefined) return undefined
  const members = await rows(pool, member, 'SELECT node, role FROM enrolments WHERE job = $1 ORDER BY role, position', [
    id,
  ])
  const roundsSoFar = await rows(
    pool,
    round,
    `SELECT round, claims, beacon, report, state_digest AS "stateDigest", payout_total AS "payoutTotal",
      final_seq IS NOT NULL AS final FROM rounds WHERE job = $1 ORDER BY round`,
    [id],
  )
  const claims = await rows(
    pool,
    claim,
    `SELECT c.round, c.hash, c.worker, c.share, c.rate_ppm AS "ratePpm", c.auditor, c.outcome, c.weight_ppm AS "weightPpm", c.pay,
      c.value_micro AS "valueMicro", c.counted_micro AS "countedMicro"
      FROM claims c JOIN rounds r ON r.report = c.report AND r.job = c.job AND r.round = c.round
      WHERE c.job = $1 ORDER BY c.round, c.position`,
    [id],
  )
  const convictions = await rows(
    pool,
    conviction,
    `SELECT c.round, c.node, c.of, c.subject, c.slashed, e.tx_hash AS tx FROM convictions c JOIN events e USING (seq)
      WHERE c.job = $1 ORDER BY c.seq`,
    [id],
  )
  return { ...summary, members, roundsSoFar, claims, convictions }
}
