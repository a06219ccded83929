import type { Hex } from '../bytes.ts'
import { type Eip712Domain, hashStruct, typedDataDigest } from '../keccak.ts'

/** EIP-712 domain of key proofs: one chain, one `Registry` contract. */
export const registryDomain = (chainId: number, registry: Hex): Eip712Domain => ({
  name: 'Potluck Registry',
  version: '1',
  chainId,
  verifyingContract: registry,
})

/** The 32 bytes that a node key signs to show that it belongs to the cold key `node`. */
export const nodeKeyDigest = (domain: Eip712Domain, node: Hex): Uint8Array =>
  typedDataDigest(domain, hashStruct('NodeKey(address node)', node))
