import { type Hex, toHex } from '../bytes.ts'
import { abiEncode, keccak256 } from '../keccak.ts'

/** The beacon that opens a job: it draws the first committee. A block builder can steer it. */
export const firstBeacon = (blockHash: Hex, jobId: number | bigint): Hex =>
  toHex(keccak256(abiEncode(blockHash, jobId)))

/** A revealed layer of the validator at `index` of the job's list. */
export type Reveal = { index: number; preimage: Hex }

/**
 * The beacon of a round, from the one before it and what the validators revealed, in any order.
 *
 * Whoever missed its reveal is left out; with nobody's reveal it still moves on from `previous`.
 */
export function drawBeacon(jobId: number | bigint, round: number, previous: Hex, reveals: Reveal[]): Hex {
  const folded = new Uint8Array(32)
  for (const { index, preimage } of reveals) {
    keccak256(abiEncode(index, preimage)).forEach((byte, i) => {
      folded[i] = (folded[i] as number) ^ byte
    })
  }
  return toHex(keccak256(abiEncode(jobId, round, previous, folded)))
}

/** Index of the validator whose turn to propose comes first. */
export const firstProposer = (beacon: Hex, validators: number): number => Number(BigInt(beacon) % BigInt(validators))

/** Seed of the committee when a round opens anew after nobody fixed it; `attempt` counts the openings so far. */
export const nextCommitteeSeed = (seed: Hex, attempt: number): Hex => toHex(keccak256(abiEncode(seed, attempt)))
