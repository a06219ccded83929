import type { Hex } from '../bytes.ts'
import { type Eip712Domain, hashStruct, typedDataDigest } from '../keccak.ts'

export type SetAttestation = { jobId: number | bigint; round: number; setRoot: Hex; count: number; directHash: Hex }

const ATTESTATION = 'SetAttestation(uint256 jobId,uint32 round,bytes32 setRoot,uint32 count,bytes32 directHash)'

/** EIP-712 domain of attestations: one chain, one `Jobs` contract. */
export const jobsDomain = (chainId: number, jobs: Hex): Eip712Domain => ({
  name: 'Potluck Jobs',
  version: '1',
  chainId,
  verifyingContract: jobs,
})

/** The 32 bytes that a committee member signs with its node key. */
export function attestationDigest(domain: Eip712Domain, attestation: SetAttestation): Uint8Array {
  const { jobId, round, setRoot, count, directHash } = attestation
  return typedDataDigest(domain, hashStruct(ATTESTATION, jobId, round, setRoot, count, directHash))
}
