import { type Hex, toHex } from '../bytes.ts'
import { abiEncode, keccak256 } from '../keccak.ts'

/** Where the fold of directly posted claims starts in every opening of a round. */
export const NO_DIRECT_CLAIMS: Hex = `0x${'00'.repeat(32)}`

/** The fold after one more posted claim, in the order of posting; a set that leaves one out has another fold. */
export const foldDirect = (directHash: Hex, worker: Hex, commitHash: Hex): Hex =>
  toHex(keccak256(abiEncode(directHash, worker, commitHash)))
