import type { Pool } from 'pg'
import { z } from 'zod'
import { count, hex } from '../database/columns.ts'
import { rows } from '../database/rows.ts'

const node = z.object({
  version: count,
  asset: count,
  owner: hex,
  digest: hex,
  root: hex,
  licenceDigest: hex,
  metadataDigest: hex,
  ownerSharePpm: count,
  contributorsSharePpm: count,
  name: z.string().nullable(),
  kind: z.string().nullable(),
  /** The job it came out of. */
  job: count.nullable(),
  txHash: hex,
  block: count,
})
const edge = z.object({ child: count, parent: count, sharePpm: count })

export type Provenance = {
  version: number
  /** The version and everything it is made of, youngest first. */
  nodes: z.output<typeof node>[]
  edges: z.output<typeof edge>[]
  /** Versions made of nothing else. */
  roots: number[]
  /** Longest way to a root; 0 for a root. */
  depth: number
}

const ANCESTORS = `
WITH RECURSIVE family (version) AS (
  SELECT version FROM versions WHERE version = $1
  UNION SELECT p.parent FROM family f JOIN parents p ON p.child = f.version)`

/** What a version is made of, up to the roots; undefined when there is no such version. Cost: linear in the ancestry. */
export async function provenanceOf(pool: Pool, version: number): Promise<Provenance | undefined> {
  const nodes = await rows(
    pool,
    node,
    `${ANCESTORS}
    SELECT v.version, v.asset, a.owner, v.digest, v.root, v.licence_digest AS "licenceDigest", v.metadata_digest AS "metadataDigest",
      v.owner_share AS "ownerSharePpm", v.contributors_share AS "contributorsSharePpm",
      d.body ->> 'name' AS name, CASE d.type WHEN 'job' THEN 'model' ELSE d.body ->> 'kind' END AS kind,
      (SELECT s.job FROM round_steps s WHERE s.step = 'published' AND (s.detail ->> 'version')::bigint = v.version LIMIT 1) AS job,
      e.tx_hash AS "txHash", e.block
    FROM family JOIN versions v USING (version) JOIN assets a USING (asset) JOIN events e ON e.seq = v.seq
      LEFT JOIN documents d ON d.digest = v.metadata_digest
    ORDER BY v.version DESC`,
    [version],
  )
  if (nodes.length === 0) return undefined
  const edges = await rows(
    pool,
    edge,
    `${ANCESTORS} SELECT child, parent, share AS "sharePpm" FROM parents JOIN family ON family.version = child ORDER BY child DESC, parent`,
    [version],
  )
  const parentsOf = Map.groupBy(edges, (one) => one.child)
  // Parents have smaller numbers: from the oldest up, each one's parents are done before it.
  const depths = new Map<number, number>()
  for (const { version: id } of [...nodes].reverse()) {
    const parents = parentsOf.get(id) ?? []
    depths.set(
      id,
      parents.reduce((most, one) => Math.max(most, (depths.get(one.parent) ?? 0) + 1), 0),
    )
  }
  const roots = nodes.filter((one) => !parentsOf.has(one.version)).map((one) => one.version)
  return { version, nodes, edges, roots, depth: depths.get(version) ?? 0 }
}
