/**
 * Shares on their way to a neighbour: encrypted, then authenticated, with keys used once.
 *
 *   stream key ‖ tag key = HKDF-SHA-256(X25519 secret of the two, salt: id of the sum, info: purpose, sender, receiver), 64 bytes
 *   encrypted = shares XOR ChaCha20(stream key)        sealed = encrypted ‖ HMAC-SHA-256(tag key, encrypted ‖ what goes with it)
 *
 * Sum, sender and receiver are in the keys, so that a share of another round, or one sent back, does not open. A member seals at
 * most one message under each key (its shares are a function of its secret and the sum), hence no nonce.
 */
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, PotluckError, uint64, utf8 } from '@potluck/protocol'
import { chachaBytes } from './chacha.ts'

const tagBytes = 32
export const sealedBytes = (length: number): number => length + tagBytes

type Route = { readonly sum: Uint8Array; readonly from: number; readonly to: number }

/**
 * @param secret what X25519 gave the two ends
 * @param besides sent in the clear, yet no less authentic for the receiver; of fixed length
 */
export function sealShare(secret: Uint8Array, route: Route, share: Uint8Array, besides: Uint8Array): Uint8Array {
  const { streamKey, tagKey } = sealKeys(secret, route)
  const encrypted = xorStream(share, streamKey)
  return concatBytes(encrypted, hmac(sha256, tagKey, concatBytes(encrypted, besides)))
}

/** The share. Throws SEAL_BROKEN when it was sealed for another sum, way or receiver, or changed. */
export function openShare(secret: Uint8Array, route: Route, sealed: Uint8Array, besides: Uint8Array): Uint8Array {
  const { streamKey, tagKey } = sealKeys(secret, route)
  const encrypted = sealed.subarray(0, Math.max(0, sealed.length - tagBytes))
  const expected = hmac(sha256, tagKey, concatBytes(encrypted, besides))
  const tag = sealed.subarray(encrypted.length)
  let difference = tag.length ^ tagBytes
  expected.forEach((byte, i) => {
    difference |= byte ^ (tag[i] ?? 0)
  })
  if (difference !== 0) {
    throw new PotluckError(
      'SEAL_BROKEN',
      `the share from member ${route.from} to member ${route.to} does not open: it belongs to another sum or was changed on the way; start a new attempt`,
      { from: route.from, to: route.to },
      { remedy: 'retry' },
    )
  }
  return xorStream(encrypted, streamKey)
}

function sealKeys(secret: Uint8Array, { sum, from, to }: Route): { streamKey: Uint8Array; tagKey: Uint8Array } {
  const info = concatBytes(utf8('potluck/share/2'), uint64(from), uint64(to))
  const keys = hkdf(sha256, secret, sum, info, 64)
  return { streamKey: keys.subarray(0, 32), tagKey: keys.subarray(32) }
}

function xorStream(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  const out = chachaBytes(key, 20, bytes.length)
  return out.map((byte, i) => byte ^ bytes[i]!)
}
