import type { Hex } from '@potluck/protocol'
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
}
