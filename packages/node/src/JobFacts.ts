import type { ChainEvent } from '@potluck/chain'
import type { Hex } from '@potluck/protocol'

export const JobRole = { worker: 1, validator: 2, witness: 4 } as const

/** What the chain's history says about one job, folded from its events. Addresses in lower case. */
export type JobFacts = {
  job: number
  builder: Hex | null
  workers: Hex[]
  validators: Hex[]
  witnesses: Hex[]
  expelled: Set<Hex>
  /** Audit report of the last final round: leads to the payout list behind its root. */
  finalAuditRoot: Hex | null
  isOver: boolean
}

export const lower = (hex: unknown): Hex => String(hex).toLowerCase() as Hex

const noFacts = (job: number): JobFacts => ({
  job,
  builder: null,
  workers: [],
  validators: [],
  witnesses: [],
  expelled: new Set(),
  finalAuditRoot: null,
  isOver: false,
})

/** Folds one event into the facts of the job it speaks of; returns that job's facts, or undefined for an event of no job. */
export function foldJobEvent(jobs: Map<number, JobFacts>, event: ChainEvent): JobFacts | undefined {
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
  if (event.name === 'Convicted') facts.expelled.add(lower(event.args.worker))
  if (event.name === 'ProposalConvicted') facts.expelled.add(lower(event.args.proposer))
  if (event.name === 'RoundFinal') facts.finalAuditRoot = lower((event.args.proposal as { auditRoot: Hex }).auditRoot)
  if (event.name === 'JobDone' || event.name === 'JobCancelled') facts.isOver = true
  return facts
}
