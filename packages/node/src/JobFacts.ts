import type { ChainEvent } from '@potluck/chain'
import type { Hex } from '@potluck/protocol'

export const JobRole = { worker: 1, validator: 2, witness: 4 } as const

/** What the referee's events say about one claim. */
export type Dispute = {
  /** Open challenges by id, each with its challenger. */
  open: Map<number, Hex>
  isWrong: boolean
}

/** What the chain's history says about one job, folded from its events. Addresses in lower case. */
export type JobFacts = {
  job: number
  builder: Hex | null
  workers: Hex[]
  /** Workers that had enrolled when the present opening of the round began: its shares are theirs (P-56). */
  due: Hex[]
  validators: Hex[]
  witnesses: Hex[]
  /** In the order of their first conviction on chain, workers and proposers alike (C-71). */
  expelled: Set<Hex>
  /** Claims somebody challenged, by subject. */
  disputes: Map<Hex, Dispute>
  /** Leaves of claimed updates that somebody wants to see on chain, by the number of the demand (D-21). */
  demands: Map<number, { subject: Hex; leafIndex: number }>
  /** Audit report of the last final round: leads to the payout list behind its root. */
  finalAuditRoot: Hex | null
  isOver: boolean
}

export const hasOpenDispute = ({ disputes }: JobFacts): boolean =>
  [...disputes.values()].some(({ open, isWrong }) => open.size > 0 && !isWrong)

export const lower = (hex: unknown): Hex => String(hex).toLowerCase() as Hex

const noFacts = (job: number): JobFacts => ({
  job,
  builder: null,
  workers: [],
  due: [],
  validators: [],
  witnesses: [],
  expelled: new Set(),
  disputes: new Map(),
  demands: new Map(),
  finalAuditRoot: null,
  isOver: false,
})

/** Folds one event into the facts of the job it speaks of; returns that job's facts, or undefined for an event of no job. */
export function foldJobEvent(jobs: Map<number, JobFacts>, event: ChainEvent): JobFacts | undefined {
  if (event.contract === 'referee') return foldDispute(jobs, event)
  if (event.contract !== 'jobs' || event.args.jobId === undefined) return undefined
  const job = Number(event.args.jobId)
  const facts = jobs.get(job) ?? noFacts(job)
  jobs.set(job, facts)
  if (event.name === 'JobCreated') facts.builder = lower(event.args.builder)
  if (event.name === 'Enrolled') {
    const role = Number(event.args.role)
    const list =
      role === JobRole.worker ? facts.workers : role === JobRole.validator ? facts.validators : facts.witnesses
    list[Number(event.args.index)] = lower(event.args.node)
  }
  if (event.name === 'RoundOpened') facts.due = [...facts.workers]
  if (event.name === 'Convicted') facts.expelled.add(lower(event.args.worker))
  if (event.name === 'ProposalConvicted') facts.expelled.add(lower(event.args.proposer))
  if (event.name === 'RoundFinal') facts.finalAuditRoot = lower((event.args.proposal as { auditRoot: Hex }).auditRoot)
  if (event.name === 'JobDone' || event.name === 'JobCancelled') facts.isOver = true
  return facts
}

function foldDispute(jobs: Map<number, JobFacts>, { name, args }: ChainEvent): JobFacts | undefined {
  if (args.demand !== undefined) return foldDemand(jobs, Number(args.demand), args)
  const subject = lower(args.subject)
  const named = args.jobId === undefined ? undefined : Number(args.jobId)
  const facts = [...jobs.values()].find(({ job, disputes }) =>
    named === undefined ? disputes.has(subject) : job === named,
  )
  if (!facts) return undefined
  const dispute = facts.disputes.get(subject) ?? { open: new Map(), isWrong: false }
  if (name === 'Challenged') dispute.open.set(Number(args.id), lower(args.challenger))
  else if (name === 'ChallengeSettled') dispute.open.delete(Number(args.id))
  else if (name === 'ClaimWrong') dispute.isWrong = true
  else return undefined
  facts.disputes.set(subject, dispute)
  return facts
}

/** Asked when a job is named; shown or given up on otherwise. */
function foldDemand(jobs: Map<number, JobFacts>, demand: number, args: ChainEvent['args']): JobFacts | undefined {
  if (args.jobId !== undefined) {
    const facts = jobs.get(Number(args.jobId))
    facts?.demands.set(demand, { subject: lower(args.subject), leafIndex: Number(args.leafIndex) })
    return facts
  }
  const facts = [...jobs.values()].find(({ demands }) => demands.has(demand))
  facts?.demands.delete(demand)
  return facts
}
