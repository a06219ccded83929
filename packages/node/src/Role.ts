import type { JobDocument } from '@potluck/protocol'
import type { ChainHistory } from './ChainHistory.ts'
import type { JobFacts } from './JobFacts.ts'
import type { JobView, NodeContext } from './JobView.ts'
import type { JobProgram } from './program/JobProgram.ts'

export type Role = {
  tick(view: JobView): Promise<void>
  /** Why this node should not work in a job that it could enrol in; asked before it does. */
  refuses?(document: JobDocument): string | undefined
}
/** A role that looks at the whole chain rather than at one job. */
export type Chore = { tick(context: NodeContext, history: ChainHistory): Promise<void> }
export type ProgramOf = (
  job: number,
  document: JobDocument,
  facts: JobFacts,
  view: { sources(): string[] },
) => Promise<JobProgram>
