import { type Hex, toHex } from '@potluck/protocol'
import type { ClaimArgument } from './calls.ts'

/** The share of no worker: marks what a proposer says a round results in (D-23). */
export const RESULT_SHARE = 0xffffffff

const ZERO = toHex(new Uint8Array(32))

/** A round's result in the form of a claim, under whose hash it is judged (D-23). */
export const resultClaim = (given: {
  readonly proposer: Hex
  /** Root of the state that the round starts from. */
  readonly baseRoot: Hex
  readonly stateRoot: Hex
  readonly runRoot: Hex
}): ClaimArgument => ({
  worker: given.proposer,
  share: RESULT_SHARE,
  units: 0n,
  baseRoot: given.baseRoot,
  updateDigest: ZERO,
  updateRoot: given.stateRoot,
  statesRoot: given.runRoot,
})
