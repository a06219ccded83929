/** Convictions of proposers: a result of a round that was shown wrong, by whom, and what it cost. */
import { claimLeafHash, type Hex } from '@potluck/protocol'
import { z } from 'zod'
import { amount, count, hex } from '../database/columns.ts'
import { rows } from '../database/rows.ts'
import { convictionSteps } from './convictionSteps.ts'
import { nth, type Step, short } from './Step.ts'
import type { Teller } from './Teller.ts'

/** The share of no worker: a result is disputed in the form of a claim with it (D-23). */
const RESULT_SHARE = 0xffffffff
const ZERO: Hex = `0x${'00'.repeat(32)}`

const row = z.object({
  round: count,
  node: hex,
  subject: hex,
  slashed: amount,
  burned: amount.nullable(),
  tx: hex,
  block: count,
  stateRoot: hex.nullable(),
  runRoot: hex.nullable(),
  baseRoot: hex.nullable(),
})

/** The convictions of a job's proposers, of one round or of one node where those are named, each with votes and disputes. */
export async function proposalConvictions(
  teller: Teller,
  job: number,
  of: { round?: number | undefined; node?: string | undefined } = {},
): Promise<{ node: Hex; step: Step }[]> {
  const found = await rows(
    teller.database,
    row,
    `SELECT c.round, c.node, c.subject, c.slashed, e.tx_hash AS tx, e.block,
        (SELECT sum(s.burned) FROM slashes s JOIN events f USING (seq) WHERE s.node = c.node AND f.tx_hash = e.tx_hash) AS burned,
        p.detail ->> 'stateRoot' AS "stateRoot", p.detail ->> 'runRoot' AS "runRoot",
        COALESCE((SELECT s.detail ->> 'stateRoot' FROM round_steps s WHERE s.job = c.job AND s.round < c.round AND s.step = 'final'
          ORDER BY s.round DESC LIMIT 1), j.terms ->> 'baseRoot') AS "baseRoot"
      FROM convictions c JOIN events e USING (seq) JOIN jobs j ON j.job = c.job
        LEFT JOIN LATERAL (SELECT s.detail FROM round_steps s WHERE s.job = c.job AND s.round = c.round AND s.step = 'proposed'
          AND s.actor = c.node AND s.seq < c.seq ORDER BY s.seq DESC LIMIT 1) p ON true
      WHERE c.job = $1 AND c.of = 'proposal' AND ($2::bigint IS NULL OR c.round = $2) AND ($3::text IS NULL OR c.node = $3)
      ORDER BY c.seq`,
    [job, of.round ?? null, of.node ?? null],
  )
  const told: { node: Hex; step: Step }[] = []
  for (const conviction of found) {
    const { node, round } = conviction
    const what = `The result that ${short(node)} proposed for round ${nth(round)}`
    const [step] = await convictionSteps(teller, job, [
      { ...conviction, what, disputed: resultSubject(job, conviction) },
    ])
    if (step) told.push({ node, step })
  }
  return told
}

/** What disputes about a result stand under: it is judged in the form of a claim by its proposer. */
function resultSubject(
  job: number,
  { round, node, baseRoot, stateRoot, runRoot }: z.output<typeof row>,
): Hex | undefined {
  if (baseRoot === null || stateRoot === null || runRoot === null) return undefined
  const roots = { baseRoot, updateDigest: ZERO, updateRoot: stateRoot, statesRoot: runRoot }
  return claimLeafHash(job, round, { worker: node, share: RESULT_SHARE, units: 0, ...roots })
}
