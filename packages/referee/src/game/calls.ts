/** The calls of the contract as values: what a player decides on and a chain port sends. */
import type { Claim, Hex } from '@potluck/protocol'

export type EntryArgument = { readonly value: Hex; readonly proof: readonly Hex[] }
export type OperandArgument = {
  readonly traceLeaf: number
  readonly leaf: number
  readonly data: Hex
  readonly proof: readonly Hex[]
}
/** A claim as the contracts read it. */
export type ClaimArgument = {
  readonly worker: Hex
  readonly share: number
  readonly units: bigint
  readonly baseRoot: Hex
  readonly updateDigest: Hex
  readonly updateRoot: Hex
  readonly statesRoot: Hex
}

/** A claim from a message as the contracts take it. */
export const claimArgument = (claim: Claim): ClaimArgument => ({ ...claim, units: BigInt(claim.units) })

/** A move of a game, without the game's number, which comes first in every call. */
export type MoveCall =
  | {
      name: 'pickStep'
      args: [index: number, before: EntryArgument, afterwards: EntryArgument, row: Hex[], last: EntryArgument]
    }
  | { name: 'pickNode'; args: [index: number, entry: EntryArgument, row: Hex[]] }
  | {
      name: 'pickTraceLeaf'
      args: [index: number, entry: EntryArgument, record: Hex, recordProof: Hex[], row: Hex[], leaf: Hex]
    }
  | { name: 'pickTensorLeaf'; args: [index: number, entry: EntryArgument, record: Hex, leaf: Hex] }
  | { name: 'pickElement'; args: [opponentLeaf: Hex, index: number, record: Hex, sums: Hex] }
  | { name: 'pickSum'; args: [opponentSums: Hex, index: number, sums: Hex] }
  | { name: 'prove'; args: [opponentWords: Hex, index: number, record: Hex, operands: OperandArgument[]] }
  | {
      name: 'strikeTraceLeaf'
      args: [
        index: number,
        entry: EntryArgument,
        record: Hex,
        recordProof: Hex[],
        right: Hex,
        rightProof: Hex[],
        claim: ClaimArgument,
      ]
    }
  | { name: 'strikeAbsent'; args: [index: number, entry: EntryArgument, record: Hex] }
