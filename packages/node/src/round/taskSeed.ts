import { abiEncode, fromHex, type Hex, sha256, utf8 } from '@potluck/protocol'
import { claimSeed } from '@potluck/referee'

/**
 * The 32 bytes from which all randomness of one share's work follows: batches, order, everything (P-42). The worker's own
 * address is part of it, so a copied update is a wrong update.
 */
export const taskSeed = (jobSeed: Hex, round: number, share: number, worker: Hex): Uint8Array =>
  claimSeed(fromHex(jobSeed), round, { share, worker })

/** The seed of the reference update, drawn only after the set of updates is fixed. */
export function referenceSeed(beacon: Hex, round: number): Uint8Array {
  return sha256(utf8('potluck reference'), fromHex(beacon), abiEncode(round))
}

/** Decides by which windows of the validation text a round's contributions are measured: drawn only after the set is fixed (P-58). */
export function scoreSeed(beacon: Hex, round: number): Uint8Array {
  return sha256(utf8('potluck score'), fromHex(beacon), abiEncode(round))
}

/** What a worker commits to before it shows its update; the digest inside is of 256 bits nobody else knows (P-43). */
export function commitHash(job: number, round: number, share: number, worker: Hex, updateDigest: Hex): Uint8Array {
  return sha256(utf8('potluck commit'), abiEncode(job, round, share, worker, updateDigest))
}
