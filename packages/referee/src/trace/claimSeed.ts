import { abiEncode, type Hex, sha256, utf8 } from '@potluck/protocol'

/** The seed of the task that a claim is about (P-42): batches and random numbers follow from it. */
export function claimSeed(
  jobSeed: Uint8Array,
  round: number,
  { share, worker }: { readonly share: number; readonly worker: Hex },
): Uint8Array {
  return sha256(utf8('potluck task'), jobSeed, abiEncode(round, share, worker))
}
