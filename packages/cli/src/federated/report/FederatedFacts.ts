import type { BackdoorFacts } from '../attack/measureBackdoor.ts'
import type { RoundRecord } from '../RoundRecord.ts'
import type { ResistanceFacts } from './resistanceSection.ts'

/** All that the report of a run shows. */
export type FederatedFacts = {
  readonly title: string
  /** What was chosen, for a person: name and value. */
  readonly settings: readonly (readonly [string, string])[]
  readonly rounds: readonly RoundRecord[]
  readonly clients: readonly ClientFacts[]
  /** What their data is counted in: rows, images, tokens. */
  readonly unit: string
  /** What the parts of the clients are counts of; empty where data has no classes. */
  readonly classes: readonly string[]
  /** Numbers the model has. */
  readonly parameters: number
  /** Inner steps of a round. */
  readonly localSteps: number
  /** Of the model written to files. */
  readonly valid: { readonly loss: number; readonly accuracy: number | null }
  readonly test: { readonly loss: number; readonly accuracy: number | null; readonly n: number } | null
  /** Round whose model was kept. */
  readonly bestRound: number
  readonly attack: AttackFacts | null
  /** What `potluck attack` found about these settings. */
  readonly resistance: ResistanceFacts
  readonly privacy: { readonly epsilon: number; readonly delta: number; readonly words: readonly string[] } | null
}

/** Who lied in the run. */
export type AttackFacts = {
  readonly name: string
  /** Clients that lie. */
  readonly count: number
  /** Of a backdoor: whether it works in the model written to files. */
  readonly backdoor?: BackdoorFacts
}

export type ClientFacts = {
  readonly id: string
  /** Rows, images, or tokens of a text. */
  readonly size: number
  /** Rows of each class. */
  readonly counts: readonly number[]
  readonly isAttacker: boolean
}

/** What synchronous training in f32 would have sent up: a gradient a member and inner step. */
export const synchronousBytes = (
  { parameters, localSteps }: Pick<FederatedFacts, 'parameters' | 'localSteps'>,
  rounds: readonly Pick<RoundRecord, 'members'>[],
): number => rounds.reduce((sum, { members }) => sum + 4 * parameters * localSteps * members.length, 0)
