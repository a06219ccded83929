import { type Hex, toHex } from '../bytes.ts'
import { abiEncode, keccak256 } from '../keccak.ts'

/** The task under which `Jobs` locks a role's bond in the registry. */
export const bondTask = (jobs: Hex, jobId: number | bigint, role: number): Hex =>
  toHex(keccak256(abiEncode(jobs, jobId, role)))
