import type { Hex, JobDocument } from '@potluck/protocol'
import type { JobStatus, JobTerms } from './JobView.ts'
import type { JobProgram } from './program/JobProgram.ts'
import type { DataOfJob } from './round/refuseData.ts'

/** Committee and assignment of an opening, and what they follow from. */
export type Drawn = { key: string; committee: Hex[]; assignment: Hex[][] }

/** What a node has found out about a job and need not ask again; all of it can be had anew after a restart. */
export type JobMemory = {
  terms?: JobTerms
  document?: JobDocument
  program?: Promise<JobProgram>
  status?: JobStatus
  statusMs: number
  data?: Promise<DataOfJob | undefined>
  /** Why the node keeps out of the job, as it was last logged. */
  refused?: string
  /** When each kind of transaction was last tried. */
  acted: Map<string, number>
  enrolledMs: number
  drawn?: Drawn
}
