import { type Hex, toHex } from '../bytes.ts'
import { hashStruct } from '../keccak.ts'

export type Proposal = {
  stateDigest: Hex
  stateRoot: Hex
  /** Root of the `sumTree` of cumulative pay. */
  payoutRoot: Hex
  /** Digest of the audit report. */
  auditRoot: Hex
  payoutTotal: bigint
}

const PROPOSAL =
  'Proposal(uint256 jobId,uint32 round,bytes32 stateDigest,bytes32 stateRoot,bytes32 payoutRoot,bytes32 auditRoot,uint128 payoutTotal)'

/** A proposal as it stands before the judge. */
export function proposalHash(jobId: number | bigint, round: number, proposal: Proposal): Hex {
  const { stateDigest, stateRoot, payoutRoot, auditRoot, payoutTotal } = proposal
  return toHex(hashStruct(PROPOSAL, jobId, round, stateDigest, stateRoot, payoutRoot, auditRoot, payoutTotal))
}
