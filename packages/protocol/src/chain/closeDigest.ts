import type { Hex } from '../bytes.ts'
import { type Eip712Domain, hashStruct, typedDataDigest } from '../keccak.ts'

/** The present state of a channel, which its operator signs to let it close at once. */
export type Close = { channelId: Hex; deposited: bigint; claimed: bigint; validUntil: bigint }

/** The 32 bytes that the operator signs; `domain` as for vouchers. */
export function closeDigest(domain: Eip712Domain, { channelId, deposited, claimed, validUntil }: Close): Uint8Array {
  const type = 'Close(bytes32 channelId,uint96 deposited,uint96 claimed,uint64 validUntil)'
  return typedDataDigest(domain, hashStruct(type, channelId, deposited, claimed, validUntil))
}
