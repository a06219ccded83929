import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, fromHex, type Hex, toHex, utf8 } from './bytes.ts'
import { PotluckError } from './PotluckError.ts'

/** Keccak-256 of the parts laid end to end, as the EVM has it. 32 bytes. */
export function keccak256(...parts: Uint8Array[]): Uint8Array {
  return keccak_256(parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts))
}

export type Word = bigint | number | Hex | Uint8Array

/** One 32-byte ABI word: integers big-endian, addresses and shorter hex left-padded, 32-byte values as they are. */
export function abiWord(value: Word): Uint8Array {
  const out = new Uint8Array(32)
  if (typeof value === 'bigint' || typeof value === 'number') {
    let rest = BigInt(value)
    if (rest < 0n || rest >= 1n << 256n) throw new PotluckError('BAD_INTEGER', `does not fit in uint256: ${value}`)
    for (let i = 31; rest > 0n; i--, rest >>= 8n) out[i] = Number(rest & 255n)
    return out
  }
  const bytes = typeof value === 'string' ? fromHex(value) : value
  if (bytes.length > 32) throw new PotluckError('BAD_WORD', `expected at most 32 bytes, got ${bytes.length}`)
  out.set(bytes, 32 - bytes.length)
  return out
}

/** `abi.encode` of static values: one word each. */
export const abiEncode = (...values: Word[]): Uint8Array => concatBytes(...values.map(abiWord))

/** EIP-712 hash of a struct whose members are all static. `type` is its full type string. */
export const hashStruct = (type: string, ...values: Word[]): Uint8Array =>
  keccak256(keccak256(utf8(type)), abiEncode(...values))

export type Eip712Domain = { name: string; version: string; chainId: number; verifyingContract: Hex }

/** The 32 bytes that a wallet signs for `structHash` under `domain` (EIP-712). */
export function typedDataDigest(domain: Eip712Domain, structHash: Uint8Array): Uint8Array {
  const separator = hashStruct(
    'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)',
    keccak256(utf8(domain.name)),
    keccak256(utf8(domain.version)),
    domain.chainId,
    domain.verifyingContract,
  )
  return keccak256(Uint8Array.of(0x19, 0x01), separator, structHash)
}

/** Lower-case address of an uncompressed public key (65 bytes, leading 4). */
export const addressOf = (publicKey: Uint8Array): Hex => toHex(keccak256(publicKey.subarray(1)).subarray(12))
