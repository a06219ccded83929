import { type Hex, toHex } from '../bytes.ts'
import { hashStruct } from '../keccak.ts'
import type { Claim } from '../messages.ts'

const CLAIM =
  'Claim(uint256 jobId,uint32 round,address worker,uint32 share,uint64 units,bytes32 baseRoot,bytes32 updateDigest,bytes32 updateRoot,bytes32 statesRoot)'

/** A claim as it stands in the round's set and before the judge: the leaf of `setTree` and the subject of a vote. */
export function claimLeafHash(jobId: number | bigint, round: number, claim: Claim): Hex {
  const { worker, share, units, baseRoot, updateDigest, updateRoot, statesRoot } = claim
  return toHex(hashStruct(CLAIM, jobId, round, worker, share, units, baseRoot, updateDigest, updateRoot, statesRoot))
}
