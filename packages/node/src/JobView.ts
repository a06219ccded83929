import type { Chain } from '@potluck/chain'
import type { Eip712Domain, Hex, JobDocument } from '@potluck/protocol'
import type { Directory } from './Directory.ts'
import type { Inbox } from './Inbox.ts'
import type { JobFacts } from './JobFacts.ts'
import type { Outbox } from './Outbox.ts'
import type { Identity, Ports } from './Ports.ts'
import type { JobProgram } from './program/JobProgram.ts'

export type JobStatus = Awaited<ReturnType<Chain['read']['jobs']['status']>>
export type JobTerms = Awaited<ReturnType<Chain['read']['jobs']['termsOf']>>

/** `IJobs.Phase`, in its order. */
export const Phase = {
  none: 0,
  enrolling: 1,
  open: 2,
  beacon: 3,
  propose: 4,
  challenge: 5,
  done: 6,
  cancelled: 7,
} as const

/** What a node is and has, the same for all its roles. */
export type NodeContext = {
  ports: Ports
  identity: Identity
  inbox: Inbox
  outbox: Outbox
  directory: Directory
  /** EIP-712 domain of the Jobs contract. */
  jobsDomain: Eip712Domain
}

/** One job as this node sees it at one moment. Roles decide on it and on nothing else. */
export type JobView = NodeContext & {
  job: number
  facts: JobFacts
  status: JobStatus
  terms: JobTerms
  document: JobDocument
  program: JobProgram
  /** Where the job's datasets may be worked on, one list for each that says so (P-55). */
  residencies: ReadonlyMap<number, readonly string[]>
  round: number
  committee: Hex[]
  /** For each share, workers in the order they are due; expelled ones left out. */
  assignment: Hex[][]
  /** Time of the chain in milliseconds, carried on by our clock. */
  nowMs: number
  blockNumber: bigint
  /** The state this round starts from. */
  baseDigest: Hex
  baseRoot: Hex
  baseState(): Promise<Uint8Array>
  /** Sources of blocks: everybody known, the likeliest first. */
  sources(...first: (string | undefined)[]): string[]
  /** Sends a transaction of this job's contract; a revert because somebody else was first is no error. */
  act(what: string, send: () => Promise<unknown>): Promise<boolean>
}
