import { x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, PotluckError, uint64, utf8 } from '@potluck/protocol'
import type { SumSetup } from './sumPlan.ts'

/** X25519, by whatever library is fastest where the code runs. */
export type KeyAgreement = {
  publicKey(secretKey: Uint8Array): Uint8Array
  /** May throw for a key that gives no secret. */
  agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array
}

/** Whether `member` signed this 32-byte digest with the key it is known by. */
export type VerifySignature = (member: string, digest: Uint8Array, signature: Uint8Array) => boolean

/** About a millisecond an agreement; a node passes in its platform's own, some 15 times faster. */
export const portableAgreement: KeyAgreement = {
  publicKey: (secretKey) => x25519.getPublicKey(secretKey),
  agree: (secretKey, publicKey) => x25519.getSharedSecret(secretKey, publicKey),
}

/** A member's secrets for one sum: functions of its long-lived secret and the whole plan, so that nothing is ever used twice. */
export type SumSecrets = {
  readonly maskKey: Uint8Array
  readonly sealKey: Uint8Array
  /** What the member's own mask grows from. */
  readonly seed: Uint8Array
  /** What the coefficients of its shares are drawn from. */
  readonly sharing: Uint8Array
}

/** @param secret at least 32 random bytes that never leave the member; throws WEAK_SECRET for less */
export function sumSecrets(secret: Uint8Array, { id }: SumSetup): SumSecrets {
  if (secret.length < 32) {
    throw new PotluckError('WEAK_SECRET', `expected a secret of at least 32 bytes, got ${secret.length}`)
  }
  const bytes = hkdf(sha256, secret, id, utf8('potluck/sum-secrets/2'), 128)
  const part = (at: number): Uint8Array => bytes.slice(at, at + 32)
  return { maskKey: part(0), sealKey: part(32), seed: part(64), sharing: part(96) }
}

/** The X25519 secret of two members. Throws BAD_PUBLIC_KEY when the other's key is of small order or of another length. */
export function agreedSecret(
  { agree }: KeyAgreement,
  secretKey: Uint8Array,
  publicKey: Uint8Array,
  peer: string,
): Uint8Array {
  let secret: Uint8Array | null = null
  let cause: unknown
  try {
    secret = agree(secretKey, publicKey)
  } catch (error) {
    cause = error
  }
  // RFC 7748, section 6.1: a key of small order gives all zeros, which everybody knows.
  if (secret === null || secret.length !== 32 || secret.every((byte) => byte === 0)) {
    throw new PotluckError(
      'BAD_PUBLIC_KEY',
      `member ${peer} sent a key that gives no secret (${publicKey.length} bytes): leave it out of the next attempt`,
      { peer, bytes: publicKey.length },
      { cause },
    )
  }
  return secret
}

/** The key of the mask that two members share: the lower number adds its stream, the higher takes it away. */
export function pairMaskKey(secret: Uint8Array, { id }: SumSetup, one: number, other: number): Uint8Array {
  const ends = [Math.min(one, other), Math.max(one, other)].map((end) => uint64(end))
  return hkdf(sha256, secret, id, concatBytes(utf8('potluck/pair-mask/2'), ...ends), 32)
}

/** The key of a member's own mask, which it adds. */
export const ownMaskKey = (seed: Uint8Array, { id }: SumSetup): Uint8Array =>
  hkdf(sha256, seed, id, utf8('potluck/own-mask/2'), 32)
