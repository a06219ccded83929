import type { ExactJob } from '@potluck/engine'
import type { MeasuredUpdate } from '@potluck/learning'
import type { Hex } from '@potluck/protocol'
import type { ClaimTruth } from '@potluck/referee'

export type Task = {
  /** Bytes of the state that the round starts from. */
  state: Uint8Array
  seed: Uint8Array
  signal?: AbortSignal
  onStep?: (step: number, lossMilli: number) => void
}

export type WorkResult = {
  /** As it travels. */
  update: Uint8Array
  /** Hashes of the states along the way; their Merkle root stands in the claim. */
  stateRoots: Hex[]
  lossMilli: number
}

export type AggregateTask = {
  state: Uint8Array
  round: number
  beacon: Hex
  /** Of the claims that take part, in set order, as they travel. */
  updates: readonly { share: number; update: Uint8Array }[]
}

export type AggregateResult = {
  state: Uint8Array
  /** Each update's weight in millionths of the whole. */
  weightsPpm: number[]
  /** State roots of the reference run, then its update root; empty where nothing can be recomputed. */
  run: Hex[]
  /** What each update did, in the order of `updates`; absent where contributions are not measured, or have no finite number. */
  measured?: readonly MeasuredUpdate[]
}

/** What a round of a job computes: the only part of a round that knows what is being trained. */
export type JobProgram = {
  shares: number
  /** Work units of one share, as claims state them. */
  units: number
  /** Inner steps of a share. */
  steps: number
  /** State roots that a claim of one share is made of; 0 when it has none. */
  states: number
  /** Whether claims can be recomputed by others. */
  isExact: boolean
  /** What a referee judges claims by, and how this node sees the truth of one; absent where nothing can be recomputed. */
  exact?: {
    readonly job: ExactJob
    truthOf(task: Pick<Task, 'state' | 'seed'>): ClaimTruth
    /** The truth about what a round results in. */
    resultOf(task: AggregateTask): ClaimTruth
  }
  work(task: Task): Promise<WorkResult>
  /** Why these bytes cannot be this worker's update of this job, or undefined. */
  refuseUpdate(update: Uint8Array, worker: Hex): string | undefined
  /** The tensor that an update on its way stands for: what the root in its claim is of (P-52). For updates that are not refused. */
  tensorOf(update: Uint8Array): Uint8Array
  /** The next state and how it came about. Pure: everyone gets the same bytes. */
  aggregate(task: AggregateTask): Promise<AggregateResult>
}
