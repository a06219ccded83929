/**
 * Masked sums: every pair of members agrees on a stream of random words (X25519, HKDF, SHA-256 in counter mode); one adds it,
 * the other subtracts it. What a member sends looks random; only the sum of all of them is the sum of what they hide (L-10).
 *
 * What this does not do: it needs public keys that are known to belong to the members (signed by the caller's transport), all
 * but one member together still learn the last one's vector, and a member may lie about its own numbers.
 */
import { x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { compareBytes, concatBytes, PotluckError, uint64, utf8 } from '@potluck/protocol'
import { wordStream } from './wordStream.ts'

/** Below three, a member that subtracts its own part has the other's (L-11). */
export const smallestGroup = 3

/** The one sum that keys and masks are good for (L-12). */
export type SumContext = { readonly job: string; readonly round: number; readonly attempt: number }

export type MaskKeys = { readonly secretKey: Uint8Array; readonly publicKey: Uint8Array }

const field = (bytes: Uint8Array): Uint8Array => concatBytes(uint64(bytes.length), bytes)

function contextBytes(purpose: string, { job, round, attempt }: SumContext): Uint8Array {
  return concatBytes(field(utf8(purpose)), field(utf8(job)), uint64(round), uint64(attempt))
}

/**
 * The member's key pair for one sum, derived from its long-lived secret: a restarted node finds the same keys, another round or
 * attempt gets others.
 *
 * @param secret at least 32 random bytes that never leave the member
 */
export function deriveMaskKeys(secret: Uint8Array, context: SumContext): MaskKeys {
  if (secret.length < 32) {
    throw new PotluckError('WEAK_SECRET', `expected a secret of at least 32 bytes, got ${secret.length}`)
  }
  const secretKey = hkdf(nobleSha256, secret, undefined, contextBytes('potluck/mask-key/1', context), 32)
  return { secretKey, publicKey: x25519.getPublicKey(secretKey) }
}

/** The members in byte order of their ids. Throws BAD_GROUP for fewer than three or a name that occurs twice. */
export function checkGroup(members: readonly string[]): string[] {
  const sorted = [...members].sort((a, b) => compareBytes(utf8(a), utf8(b)))
  const repeated = sorted.find((id, i) => id === sorted[i + 1])
  if (sorted.length < smallestGroup || repeated !== undefined) {
    throw new PotluckError(
      'BAD_GROUP',
      repeated === undefined
        ? `a sum over ${sorted.length} members would show what one of them holds: bring at least ${smallestGroup}`
        : `member ${repeated} is listed twice: list each member once`,
      { members: sorted.length },
    )
  }
  return sorted
}

function pairKey(own: MaskKeys, peerId: string, peerKey: Uint8Array, info: Uint8Array): Uint8Array {
  let shared: Uint8Array
  try {
    shared = x25519.getSharedSecret(own.secretKey, peerKey)
  } catch (cause) {
    throw new PotluckError(
      'BAD_PUBLIC_KEY',
      `member ${peerId} sent a key that gives no secret (${peerKey.length} bytes): ask it for a fresh 32-byte X25519 key`,
      { peer: peerId, bytes: peerKey.length },
      { cause },
    )
  }
  return hkdf(nobleSha256, shared, undefined, info, 32)
}

/**
 * `words` plus this member's masks, mod 2^64: what it may send.
 *
 * @param self this member's id
 * @param publicKeys the keys of all members for this very sum, by id, own key included
 * @throws PotluckError BAD_GROUP, BAD_PUBLIC_KEY; NOT_A_MEMBER when `self` is absent or stands there with another key
 *
 * Cost: one X25519 agreement a peer (about 1 ms) and one SHA-256 a peer and four words.
 */
export function maskVector(
  words: BigUint64Array,
  context: SumContext,
  self: string,
  own: MaskKeys,
  publicKeys: ReadonlyMap<string, Uint8Array>,
): BigUint64Array {
  const members = checkGroup([...publicKeys.keys()])
  const listed = publicKeys.get(self)
  if (listed === undefined || compareBytes(listed, own.publicKey) !== 0) {
    throw new PotluckError('NOT_A_MEMBER', `${self} is not in this sum with its own key: start the round again`, {
      self,
    })
  }
  const masked = BigUint64Array.from(words)
  for (const peer of members) {
    if (peer === self) continue
    const isLow = compareBytes(utf8(self), utf8(peer)) < 0
    const [low, high] = isLow ? [self, peer] : [peer, self]
    const info = concatBytes(contextBytes('potluck/mask/1', context), field(utf8(low)), field(utf8(high)))
    const next = wordStream(pairKey(own, peer, publicKeys.get(peer) as Uint8Array, info))
    // The array wraps mod 2^64 by itself.
    for (let i = 0; i < masked.length; i++) masked[i] = masked[i]! + (isLow ? next() : -next())
  }
  return masked
}

/**
 * The sum of what all members sent, mod 2^64: to the bit the sum of their unmasked words.
 *
 * @param members everyone whose key took part; a sum without one of them would be noise, so it is refused
 * @throws PotluckError BAD_GROUP; MEMBER_MISSING (retry the round with fresh keys); BAD_LENGTH
 */
export function sumMasked(masked: ReadonlyMap<string, BigUint64Array>, members: readonly string[]): BigUint64Array {
  const group = checkGroup(members)
  const absent = group.filter((id) => !masked.has(id))
  if (absent.length > 0 || masked.size !== group.length) {
    throw new PotluckError(
      'MEMBER_MISSING',
      `the masks of ${group.length} members cancel only together, got ${masked.size}, absent: ${absent.join(', ') || 'none'}: start a new attempt with the members that are there`,
      { members: group.length, received: masked.size },
      { remedy: 'retry' },
    )
  }
  const length = (masked.get(group[0] as string) as BigUint64Array).length
  const sum = new BigUint64Array(length)
  for (const id of group) {
    const words = masked.get(id) as BigUint64Array
    if (words.length !== length) {
      throw new PotluckError('BAD_LENGTH', `member ${id} sent ${words.length} words, others ${length}`, {
        member: id,
        words: words.length,
      })
    }
    for (let i = 0; i < length; i++) sum[i] = sum[i]! + words[i]!
  }
  return sum
}

/** Words as big-endian bytes, eight each: the wire form of a masked vector. */
export function wordsToBytes(words: BigUint64Array): Uint8Array {
  const out = new Uint8Array(words.length * 8)
  const view = new DataView(out.buffer)
  words.forEach((word, i) => {
    view.setBigUint64(8 * i, word)
  })
  return out
}

/** The inverse of `wordsToBytes`. Throws BAD_LENGTH unless there are exactly `count` words. */
export function wordsFromBytes(bytes: Uint8Array, count: number): BigUint64Array {
  if (bytes.length !== 8 * count) {
    throw new PotluckError('BAD_LENGTH', `expected ${count} words of 8 bytes, got ${bytes.length} bytes`, {
      bytes: bytes.length,
      words: count,
    })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return BigUint64Array.from({ length: count }, (_, i) => view.getBigUint64(8 * i))
}
