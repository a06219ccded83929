import { resistanceNote, resistanceText } from '@potluck/protocol'
import { z } from 'zod'
import { count, hex } from '../database/columns.ts'
import { firstRow, rows } from '../database/rows.ts'
import { contributorLeaves } from '../money/assetsPosition.ts'
import { percent } from '../money/Money.ts'
import { type Step, short, step } from './Step.ts'
import type { Teller } from './Teller.ts'
import { workOverJob } from './workInRound.ts'

const facts = z.object({
  asset: count,
  ownerShare: count,
  contributorsShare: count,
  owner: hex,
  digest: hex,
  metadata: hex,
  name: z.string().nullable(),
  /** Of a model made in public: what its builder measured of its resistance to poisoning. */
  resistance: resistanceNote.nullable(),
  /** Of a model: how its job was done. */
  jobKind: z.string().nullable(),
  job: count.nullable(),
  tx: hex,
  block: count,
})

export function versionFacts({ database }: Teller, version: number) {
  return firstRow(
    database,
    facts,
    `SELECT v.asset, v.owner_share AS "ownerShare", v.contributors_share AS "contributorsShare", a.owner, v.digest,
      v.metadata_digest AS metadata, d.body ->> 'name' AS name, d.body -> 'resistance' AS resistance,
      CASE d.type WHEN 'job' THEN d.body ->> 'kind' END AS "jobKind", e.tx_hash AS tx, e.block,
      (SELECT s.job FROM round_steps s WHERE s.step = 'published' AND (s.detail ->> 'version')::bigint = v.version LIMIT 1) AS job
      FROM versions v JOIN assets a USING (asset) JOIN events e ON e.seq = v.seq LEFT JOIN documents d ON d.digest = v.metadata_digest
      WHERE v.version = $1`,
    [version],
  )
}

export async function ownerShareOf(teller: Teller, version: number): Promise<number> {
  return (await versionFacts(teller, version))?.ownerShare ?? 0
}

export async function parentShareOf({ database }: Teller, child: number, parent: number): Promise<number> {
  const sql = 'SELECT share FROM parents WHERE child = $1 AND parent = $2'
  return (await firstRow(database, z.object({ share: count }), sql, [child, parent]))?.share ?? 0
}

/** Why somebody is a contributor: its weight, and the work it was given for. No amounts: it explains a share, not a sum. */
export async function contributorStory(
  teller: Teller,
  version: number,
  account: string,
  position: bigint,
): Promise<Step[]> {
  const leaves = await contributorLeaves(teller.database, version)
  const own = leaves.find((leaf) => BigInt(leaf.position) === position)
  const id = `entitlement/${version}/${position}`
  if (own === undefined) {
    const text = `It stands at place ${position} in the contributors' tree of version ${version}, whose list has not come in.`
    return [step({ id, kind: 'entitlement', text, refs: { version } })]
  }
  const total = leaves.reduce((sum, leaf) => sum + leaf.weight, 0n)
  const job = (await versionFacts(teller, version))?.job ?? undefined
  const text = `It holds ${own.weight} of ${total} shares in version ${version}: as much as it was paid for its work in job ${job}.`
  const because = job === undefined ? [] : await workOverJob(teller, job, account)
  return [step({ id, kind: 'entitlement', text, refs: { version, ...(job === undefined ? {} : { job }) }, because })]
}

/** What a version is made of, and who made it. */
export async function originSteps(teller: Teller, version: number, depth = 0): Promise<Step[]> {
  const steps: Step[] = []
  const { job, jobKind, resistance } = (await versionFacts(teller, version)) ?? {}
  if (typeof job === 'number') {
    const workers = await rows(
      teller.database,
      z.object({ worker: hex }),
      `SELECT DISTINCT c.worker FROM claims c JOIN rounds r ON r.report = c.report AND r.job = c.job AND r.round = c.round
        WHERE c.job = $1 AND c.pay > 0 ORDER BY c.worker`,
      [job],
    )
    const made = workers.length === 0 ? '' : ` by the accepted work of ${workers.length} workers`
    const because = workers.slice(0, teller.most).map(({ worker }) =>
      step({
        id: `job/${job}/${worker}`,
        kind: 'worker',
        text: `${short(worker)} did work that was accepted.`,
        refs: { job, account: worker },
      }),
    )
    steps.push(
      step({ id: `job/${job}`, kind: 'job', text: `It came out of job ${job}${made}.`, refs: { job }, because }),
    )
  }
  if (jobKind) {
    const why = jobKind === 'tabular' ? ': under masks nobody sees a single update' : ''
    const by = resistance ? ' It is what its builder measured before the job began.' : ''
    const text = `Its poisoning resistance: ${resistanceText(resistance)}${why}.${by}`
    steps.push(step({ id: `resistance/${version}`, kind: 'resistance', text, refs: { version } }))
  }
  const parents = await rows(
    teller.database,
    z.object({ parent: count, share: count }),
    'SELECT parent, share FROM parents WHERE child = $1 ORDER BY parent',
    [version],
  )
  for (const { parent, share } of parents) {
    const told = await versionFacts(teller, parent)
    const because = depth < teller.deepest ? await originSteps(teller, parent, depth + 1) : []
    const text = `It is made of version ${parent}${nameOf(told?.name)} of ${short(told?.owner ?? '')}, which gets ${percent(share)} of what it earns.`
    steps.push(
      step({
        id: `version/${parent}`,
        kind: 'parent',
        text,
        refs: { version: parent, ...(told ? { asset: told.asset } : {}) },
        because,
      }),
    )
  }
  return steps
}

export const nameOf = (name: string | null | undefined): string => (name ? ` (“${name}”)` : '')
