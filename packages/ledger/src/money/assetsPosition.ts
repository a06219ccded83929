/**
 * Who would hold what of the asset contract's money if everything were pulled, settled and claimed now, computed with the
 * contract's own rounding. What a pull moves depends only on the child's total, so the order of pulls does not matter and one pass from
 * the youngest version to the oldest gives the end state.
 */
import type { Hex } from '@potluck/protocol'
import { z } from 'zod'
import { amount, count, hex } from '../database/columns.ts'
import { type Queryable, rows } from '../database/rows.ts'

const PPM = 1_000_000n
const ofDown = (gross: bigint, share: number): bigint => (gross * BigInt(share)) / PPM

export type Waiting = {
  account: Hex
  version: number
  role: 'owner' | 'contributor'
  /** Not yet credited: it lies in the version or with its children. */
  amount: bigint
}

export type AssetsPosition = {
  waiting: Waiting[]
  /** Of contributors whose tree nobody has shown us: owed, but to whom is not known. */
  toUnknownContributors: bigint
  /** What rounding leaves in the contract for ever, if nothing more is paid. */
  dust: bigint
  /** Income of each version with everything pulled. */
  gross: Map<number, bigint>
}

const versionRow = z.object({
  version: count,
  owner: hex,
  owner_share: count,
  contributors_share: count,
  contributors_root: hex,
  contributors_total: amount,
})

/** Reads one token's position; run it in a snapshot together with whatever it is compared to. */
export async function assetsPosition(database: Queryable, token: string): Promise<AssetsPosition> {
  const versions = await rows(
    database,
    versionRow,
    'SELECT v.*, a.owner FROM versions v JOIN assets a USING (asset) ORDER BY v.version DESC',
  )
  const parentsOf = await groupedParents(database)
  const gross = await sums(database, 'paid', 'version', token)
  const settled = await sums(database, 'settled', 'version', token)
  const result: AssetsPosition = { waiting: [], toUnknownContributors: 0n, dust: 0n, gross }
  for (const version of versions) {
    const income = gross.get(version.version) ?? 0n
    if (income === 0n) continue
    let left = income
    for (const { parent, share } of parentsOf.get(version.version) ?? []) {
      const due = ofDown(income, share)
      gross.set(parent, (gross.get(parent) ?? 0n) + due)
      left -= due
    }
    const ownerDue = ofDown(income, version.owner_share)
    left -= ownerDue
    add(result.waiting, version.owner, version.version, 'owner', ownerDue - (settled.get(version.version) ?? 0n))
    left -= await contributorsPart(database, token, version, ofDown(income, version.contributors_share), result)
    result.dust += left
  }
  return result
}

/** Adds what waits for contributors; returns everything that is or will be theirs of `pot`. */
async function contributorsPart(
  database: Queryable,
  token: string,
  version: z.output<typeof versionRow>,
  pot: bigint,
  result: AssetsPosition,
): Promise<bigint> {
  if (pot === 0n) return 0n
  const credited = new Map(
    (
      await rows(
        database,
        z.object({ position: amount, amount }),
        `SELECT position, sum(amount) AS amount FROM payments
          WHERE kind = 'contributed' AND version = $1 AND token = $2 GROUP BY position`,
        [version.version, token],
      )
    ).map((row) => [row.position, row.amount]),
  )
  const leaves = await contributorLeaves(database, version.version)
  const known = leaves.reduce((sum, leaf) => sum + leaf.weight, 0n) === version.contributors_total
  if (!known) {
    result.toUnknownContributors += pot - [...credited.values()].reduce((a, b) => a + b, 0n)
    return pot
  }
  let all = 0n
  for (const { position, account, weight } of leaves) {
    const due = (pot * weight) / version.contributors_total
    all += due
    add(result.waiting, account, version.version, 'contributor', due - (credited.get(BigInt(position)) ?? 0n))
  }
  return all
}

function add(waiting: Waiting[], account: Hex, version: number, role: Waiting['role'], due: bigint): void {
  if (due !== 0n) waiting.push({ account, version, role, amount: due })
}

/**
 * The contributors of a version that a job made: the accounts of the job's last final payout. Empty when the version is not of a job or
 * the payout document has not come in.
 */
export function contributorLeaves(
  database: Queryable,
  version: number,
): Promise<{ position: number; account: Hex; weight: bigint }[]> {
  return rows(
    database,
    z.object({ position: count, account: hex, weight: amount }),
    `SELECT p.position, p.account, p.amount AS weight
      FROM round_steps s
      JOIN LATERAL (SELECT report FROM rounds r WHERE r.job = s.job AND r.final_seq IS NOT NULL ORDER BY r.round DESC LIMIT 1) f ON true
      JOIN documents d ON d.digest = f.report AND d.type = 'audit'
      JOIN payouts p ON p.document = d.body ->> 'payout'
      WHERE s.step = 'published' AND (s.detail ->> 'version')::bigint = $1 ORDER BY p.position`,
    [version],
  )
}

async function groupedParents(database: Queryable): Promise<Map<number, { parent: number; share: number }[]>> {
  const found = await rows(
    database,
    z.object({ child: count, parent: count, share: count }),
    'SELECT child, parent, share FROM parents',
  )
  return Map.groupBy(found, (row) => row.child)
}

async function sums(database: Queryable, kind: string, by: 'version', token: string): Promise<Map<number, bigint>> {
  const found = await rows(
    database,
    z.object({ key: count, amount }),
    `SELECT ${by} AS key, sum(amount) AS amount FROM payments WHERE kind = $1 AND token = $2 GROUP BY ${by}`,
    [kind, token],
  )
  return new Map(found.map((row) => [row.key, row.amount]))
}
