import { type Hex, toHex } from '../bytes.ts'
import { hashStruct } from '../keccak.ts'

export type Proposal = {
  stateDigest: Hex
  stateRoot: Hex
  /** Root of the `sumTree` of cumulative pay. */
  payoutRoot: Hex
  /** Digest of the audit report. */
  auditRoot: Hex
  /** Root over the state roots of the reference run and its update root; 0 where nothing can be recomputed. */
  runRoot: Hex
  payoutTotal: bigint
  /** Convictions in the job before the proposal: who was convicted by then takes no part in the result. */
  convictions: number
}

const PROPOSAL =
  'Proposal(uint256 jobId,uint32 round,bytes32 stateDigest,bytes32 stateRoot,bytes32 payoutRoot,bytes32 auditRoot,bytes32 runRoot,uint128 payoutTotal,uint32 convictions)'

/** A proposal as it stands before the judge. */
export function proposalHash(jobId: number | bigint, round: number, proposal: Proposal): Hex {
  const { stateDigest, stateRoot, payoutRoot, auditRoot, runRoot, payoutTotal, convictions } = proposal
  const roots = [stateDigest, stateRoot, payoutRoot, auditRoot, runRoot]
  return toHex(hashStruct(PROPOSAL, jobId, round, ...roots, payoutTotal, convictions))
}
