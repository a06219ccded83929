import type { Hex, Proposal } from '@potluck/protocol'
import type { ClaimArgument, EntryArgument, MoveCall } from '../game/calls.ts'
import type { GameFacts, MoveEvent } from '../game/Position.ts'

/** A challenge as the contract holds it, with what its event says. */
export type ChallengeFacts = {
  readonly id: number
  readonly jobId: number
  readonly round: number
  readonly subject: Hex
  readonly challenger: Hex
  readonly segment: number
  /** Last second in which somebody can stand up. */
  readonly standUpUntil: number
  readonly openGames: number
  readonly decided: boolean
  readonly won: boolean
}

export type PayArgument = { readonly account: Hex; readonly amount: bigint }
export type RoundArgument = {
  readonly jobId: number
  readonly round: number
  readonly claims: readonly ClaimArgument[]
  readonly header: Hex
  readonly headerProof: Hex[]
}

export type Sent = { readonly gasUsed: bigint }

/**
 * The referee contract as one player uses it. Reads are of the newest block; everything a player needs comes from them, so
 * that one that starts anew goes on where it was.
 *
 * Errors: those of the chain client: REVERTED when the contract refuses, RPC_UNREACHABLE and the like with remedy `retry`.
 */
export type RefereeChain = {
  /** Node address that moves count for. */
  readonly account: Hex
  /** Seconds, of the newest block. */
  now(): Promise<number>
  /** Seconds that each side has for all its moves, and everybody to stand up. */
  clockSeconds(): Promise<number>
  /** All challenges of a claim, oldest first. */
  challengesOf(subject: Hex): Promise<ChallengeFacts[]>
  /** All games of a challenge, oldest first. */
  gamesOf(challenge: number): Promise<GameFacts[]>
  /** The moves of a game, oldest first. */
  movesOf(game: number): Promise<MoveEvent[]>
  /** Whether the claim is wrong by a challenge, a strike or a demand that nobody answered. */
  isWrong(jobId: number, subject: Hex): Promise<boolean>
  challenge(given: {
    jobId: number
    round: number
    claim: ClaimArgument
    segment: number
    header: Hex
    headerProof: Hex[]
  }): Promise<Sent>
  standUp(given: {
    id: number
    claim: ClaimArgument
    start: EntryArgument
    end: EntryArgument
    states: Hex[]
  }): Promise<Sent>
  move(game: number, call: MoveCall): Promise<Sent>
  callTime(game: number): Promise<Sent>
  settle(challenge: number): Promise<Sent>
  releaseGame(game: number): Promise<Sent>
  strikeClaim(given: {
    jobId: number
    round: number
    claim: ClaimArgument
    header: Hex
    headerProof: Hex[]
  }): Promise<Sent>
  /** Establishes which updates take part in the result proposed now (D-24); `claims` are those of the set, in order. */
  noteUpdates(given: RoundArgument): Promise<Sent>
  /** Strikes the proposal of now for its payouts (D-25); `before` is what is final, in order. */
  strikePayouts(given: RoundArgument & { before: readonly PayArgument[] }): Promise<Sent>
  /** Strikes the proposal of now when the validators voted for `found`, which differs in its digests alone (D-22). */
  strikeDigests(given: { jobId: number; round: number; found: Proposal }): Promise<Sent>
}
