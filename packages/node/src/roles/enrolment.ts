import { fromHex, type Hex, type JobDocument, onionLayers, toHex } from '@potluck/protocol'
import { type JobFacts, JobRole, lower } from '../JobFacts.ts'
import { type JobStatus, type JobTerms, type NodeContext, Phase } from '../JobView.ts'
import type { Identity } from '../Ports.ts'
import { onionKey } from './validator.ts'

/** Registry bit of a data owner. */
const OWNER = 32
/** Trust class of jobs whose group is fixed. */
const PRIVATE = 2

/**
 * The roles this node takes in a job that is enrolling: each role it is registered for; as a worker, a data owner joins only private
 * jobs over its own data, and nobody else joins those.
 *
 * @param ownVersions asset versions this node owns
 * @param isExact whether this machine computes what everybody computes; if not, it takes no work that is recomputed
 */
export function rolesToTake(
  identity: { roles: number },
  document: JobDocument,
  ownVersions: readonly number[],
  isExact = true,
): number[] {
  const isPrivate = document.kind === 'tabular'
  const owns = isPrivate && document.members.some((version) => ownVersions.includes(version))
  const asWorker = isPrivate ? owns : (identity.roles & OWNER) === 0
  return [JobRole.worker, JobRole.validator, JobRole.witness].filter(
    (role) =>
      (identity.roles & role) !== 0 &&
      (role !== JobRole.worker || asWorker) &&
      (role === JobRole.witness || isPrivate || isExact),
  )
}

/**
 * Whether a job still takes members that this node could be: anybody before its start; after it, workers for rounds to come, and in
 * public jobs only, since a private group is fixed (P-56).
 *
 * @param terms undefined before they are known
 */
export function mayEnrol(
  { phase, round }: Pick<JobStatus, 'phase' | 'round'>,
  terms: Pick<JobTerms, 'rounds' | 'trustClass'> | undefined,
  { expelled }: Pick<JobFacts, 'expelled'>,
  { node, roles }: Pick<Identity, 'node' | 'roles'>,
): boolean {
  if (phase === Phase.enrolling) return true
  if (phase < Phase.enrolling || phase >= Phase.done || expelled.has(node)) return false
  const isWorker = (roles & JobRole.worker) !== 0 && (roles & OWNER) === 0
  return isWorker && (terms === undefined || (terms.trustClass !== PRIVATE && round + 1 < terms.rounds))
}

/** Enrols the node in the roles it wants and does not have yet. Refusals by the contract are logged with their reason, once a call. */
export async function enrol(
  context: NodeContext,
  facts: JobFacts,
  terms: JobTerms,
  roles: readonly number[],
): Promise<void> {
  const { ports, identity } = context
  const lists: Record<number, Hex[]> = {
    [JobRole.worker]: facts.workers,
    [JobRole.validator]: facts.validators,
    [JobRole.witness]: facts.witnesses,
  }
  for (const role of roles) {
    if (lists[role]?.includes(lower(identity.node))) continue
    let head: Hex = `0x${'00'.repeat(32)}`
    if (role === JobRole.validator) {
      const key = onionKey(facts.job)
      // Kept before the head is sent: a validator that forgets its secret forfeits its bond.
      if (!ports.disk.get(key)) ports.disk.set(key, toHex(ports.random(32)))
      const secret = fromHex(ports.disk.get(key) as string)
      head = toHex(onionLayers(secret, terms.rounds)[0] as Uint8Array)
    }
    try {
      await ports.chain.send('jobs', 'enrol', [BigInt(facts.job), role, head])
      ports.log('info', 'enrolled', { job: facts.job, role })
    } catch (error) {
      ports.log('warn', 'not enrolled', { job: facts.job, role, why: (error as Error).message })
    }
  }
}
