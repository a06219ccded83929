import type { Evaluation } from '@potluck/engine'
import type { AuditReport, Hex, JobDocument, PayoutDocument } from '@potluck/protocol'
import type { HandedIn } from '../commands/handedIn.ts'

/** A round that is final, as chain and stores have it. */
export type JobHistoryRound = {
  /** From 0, as on chain. */
  readonly round: number
  /** Seconds since 1970 of the block that made it final. */
  readonly time: number
  readonly stateDigest: Hex
  /** All pay up to here, in units. */
  readonly payoutTotal: bigint
  /** Null while nobody serves it. */
  readonly report: AuditReport | null
  readonly payout: PayoutDocument | null
  /** Of the model after it on the validation text; null where there is none, or its bytes are gone. */
  readonly valid: Evaluation | null
}

/** Everything that was found of a job: what a report is made from. */
export type JobHistory = {
  readonly job: number
  readonly phase: string
  readonly document: JobDocument | null
  readonly rounds: number
  readonly payPerRound: bigint
  readonly token: { readonly symbol: string; readonly decimals: number }
  /** Numbers of the model, and its loss before the first round; null where unknown. */
  readonly parameters: number | null
  readonly before: Evaluation | null
  readonly final: readonly JobHistoryRound[]
  readonly handedIn: readonly HandedIn[]
  readonly convictions: readonly JobConviction[]
  /** What owners of private tables found of the model at home. */
  readonly evaluations: readonly { readonly owner: string; readonly correct: number; readonly rows: number }[]
}

export type JobConviction = {
  /** From 0. */
  readonly round: number
  readonly node: Hex
  /** Of a claim of work, or of a proposed result. */
  readonly of: 'claim' | 'proposal'
  /** SALT wei. */
  readonly slashed: bigint
  readonly tx: Hex
}

/** One final round as the log keeps it: one JSON line. Rounds count from 1, as people do. */
export type JobRound = {
  readonly round: number
  readonly time: number
  readonly valid: { readonly loss: number; readonly accuracy: number | null } | null
  /** Bytes of the updates that workers say they handed in, by worker; workers that are down are missing. */
  readonly bytesUp: Readonly<Record<string, number>>
  /** Null while nobody serves the audit report. */
  readonly claims: readonly JobClaim[] | null
  readonly convictions: readonly { readonly node: string; readonly of: string; readonly slashedSalt: string }[]
  /** Earned in this round by each worker, in units of the token, as digits; null while nobody serves the list. */
  readonly pay: Readonly<Record<string, string>> | null
}

export type JobClaim = {
  readonly worker: string
  readonly share: number
  readonly ratePpm: number
  readonly auditor: string | null
  readonly outcome: AuditReport['claims'][number]['outcome']
  /** 0 to 1. */
  readonly weight: number
  /** What it took off the loss, in nats, as it counts; absent where the job measures none. */
  readonly score?: number
  /** Why it does not count in full: a copy, or empty. */
  readonly finding?: string
}

/** All that the report of a job shows. */
export type JobFacts = {
  readonly title: string
  readonly summary: string
  /** Whether single updates are seen at all. */
  readonly isMasked: boolean
  readonly workers: readonly { readonly id: string; readonly isAttacker: boolean }[]
  readonly rounds: readonly JobRound[]
  readonly before: Evaluation | null
  readonly parameters: number | null
  /** Inner steps of a share; null where unknown. */
  readonly localSteps: number | null
  readonly token: JobHistory['token']
  readonly convictions: readonly (Omit<JobConviction, 'node' | 'slashed'> & {
    readonly node: string
    readonly slashedSalt: string
  })[]
  readonly evaluations: JobHistory['evaluations']
  readonly resistance: string
  readonly settings: readonly (readonly [string, string])[]
}
