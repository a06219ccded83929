/**
 * What members and server of a secure sum say to each other, in order. Every message names its sum (the hash of the whole plan) and
 * its sender by number; lengths follow from the plan, so bytes of any other length are refused.
 */
import { concatBytes, fromHex, type Hex, PotluckError, sha256, utf8 } from '@potluck/protocol'
import { type RingWords, ringBytes, ringFromBytes } from './ring.ts'
import { sealedBytes } from './sealShare.ts'
import type { SumSetup } from './sumPlan.ts'

type From = { readonly sum: Hex; readonly from: number }
type Signed = { readonly signature: Uint8Array }

/** Round 0, to all: an X25519 key for masks, and one for what neighbours tell each other. */
export type KeysMessage = From &
  Signed & { readonly kind: 'keys'; readonly maskKey: Uint8Array; readonly sealKey: Uint8Array }

/** What one neighbour gets: hashes of its two shares (of the mask key and of the own mask's seed), and the two, sealed. */
export type DealtShare = { readonly keyHash: Uint8Array; readonly seedHash: Uint8Array; readonly sealed: Uint8Array }

/** Round 1, to all neighbours: one share each, in order of their numbers. `roster`: hash of all keys the sender was shown. */
export type SharesMessage = From &
  Signed & {
    readonly kind: 'shares'
    readonly roster: Uint8Array
    readonly seedHash: Uint8Array
    readonly dealt: readonly DealtShare[]
  }

/** Round 2, to the server. Not signed: whoever forges one spoils a sum but learns nothing; the transport says who sent it. */
export type MaskedMessage = From & { readonly kind: 'masked'; readonly words: RingWords }

/** Round 3, to all: the sender will reveal shares for the list of survivors with this hash and no other. */
export type ConsentMessage = From & Signed & { readonly kind: 'consent'; readonly list: Uint8Array }

/** Round 4, to the server: for each neighbour in order, the share of its seed if it is on the list, else of its mask key. */
export type RevealMessage = From & {
  readonly kind: 'reveal'
  readonly list: Uint8Array
  readonly shares: readonly Uint8Array[]
}

export type SumMessage = KeysMessage | SharesMessage | MaskedMessage | ConsentMessage | RevealMessage

const kinds = ['keys', 'shares', 'masked', 'consent', 'reveal'] as const
const hashBytes = 32
/** Two secrets of 32 bytes each. */
export const shareBytes = 64
const dealtBytes = 2 * hashBytes + sealedBytes(shareBytes)
const headBytes = 1 + hashBytes + 2

/** kind (1 byte), sum (32), sender (2, big-endian), body, and for signed ones the length of the signature (1) and it. */
export function encodeSumMessage(message: SumMessage): Uint8Array {
  const body = unsignedBytes(message)
  if (!('signature' in message)) return body
  return concatBytes(body, Uint8Array.of(message.signature.length), message.signature)
}

/** What a sender signs: SHA-256 of the message's bytes without the signature. */
export const sumMessageDigest = (message: Exclude<SumMessage, MaskedMessage | RevealMessage>): Uint8Array =>
  sha256(utf8('potluck/sum-message/2'), unsignedBytes(message))

function unsignedBytes(message: SumMessage): Uint8Array {
  const { from } = message
  const head = concatBytes(
    Uint8Array.of(kinds.indexOf(message.kind)),
    fromHex(message.sum),
    Uint8Array.of(from >> 8, from & 255),
  )
  switch (message.kind) {
    case 'keys':
      return concatBytes(head, message.maskKey, message.sealKey)
    case 'shares':
      return concatBytes(
        head,
        message.roster,
        message.seedHash,
        ...message.dealt.flatMap(({ keyHash, seedHash, sealed }) => [keyHash, seedHash, sealed]),
      )
    case 'masked':
      return ringBytes(message.words, head)
    case 'consent':
      return concatBytes(head, message.list)
    case 'reveal':
      return concatBytes(head, message.list, ...message.shares)
  }
}

/**
 * The message in `bytes`. Its signature is checked by whoever uses it.
 *
 * @throws PotluckError WRONG_SUM for another job, round, attempt, base or group; BAD_SUM_MESSAGE for anything malformed
 */
export function decodeSumMessage(bytes: Uint8Array, setup: SumSetup): SumMessage {
  const kind = kinds[bytes[0] ?? 255]
  if (bytes.length < headBytes || kind === undefined) {
    throw badMessage(`no message of a sum (${bytes.length} bytes, kind ${bytes[0]})`)
  }
  if (setup.id.some((byte, i) => bytes[1 + i] !== byte)) {
    throw new PotluckError(
      'WRONG_SUM',
      `a ${kind} message of another sum: job, round, attempt, base and group must all be those of the plan`,
      { kind },
    )
  }
  const from = bytes[33]! * 256 + bytes[34]!
  if (from >= setup.members.length) throw badMessage(`a ${kind} message from member ${from} of ${setup.members.length}`)
  const { degree } = setup.graph
  const bodyBytes = {
    keys: 2 * hashBytes,
    shares: 2 * hashBytes + degree * dealtBytes,
    masked: (setup.plan.length * setup.plan.bits) / 8,
    consent: hashBytes,
    reveal: hashBytes + degree * (shareBytes / 2),
  }[kind]
  const end = headBytes + bodyBytes
  const isSigned = kind !== 'masked' && kind !== 'reveal'
  const expected = isSigned ? end + 1 + (bytes[end] ?? 0) : end
  if (bytes.length !== expected || (isSigned && bytes.length <= end)) {
    throw badMessage(`a ${kind} message of ${bytes.length} bytes from member ${from}, expected ${expected}`)
  }
  // A large body is copied once, by whoever reads it; the small ones are, so that no message keeps the buffer it came in.
  const body = kind === 'masked' ? bytes.subarray(headBytes, end) : bytes.slice(headBytes, end)
  const part = (at: number, length = hashBytes): Uint8Array => body.subarray(at, at + length)
  const head = { sum: setup.sum, from }
  const signature = bytes.slice(end + 1)
  switch (kind) {
    case 'keys':
      return { kind, ...head, maskKey: part(0), sealKey: part(32), signature }
    case 'shares': {
      const dealt = Array.from({ length: degree }, (_, i): DealtShare => {
        const at = 2 * hashBytes + i * dealtBytes
        return { keyHash: part(at), seedHash: part(at + 32), sealed: part(at + 64, sealedBytes(shareBytes)) }
      })
      return { kind, ...head, roster: part(0), seedHash: part(32), dealt, signature }
    }
    case 'masked':
      return { kind, ...head, words: ringFromBytes(body, setup.plan.bits, setup.plan.length) }
    case 'consent':
      return { kind, ...head, list: part(0), signature }
    case 'reveal':
      return { kind, ...head, list: part(0), shares: Array.from({ length: degree }, (_, i) => part(32 + 32 * i)) }
  }
}

const badMessage = (what: string): PotluckError =>
  new PotluckError('BAD_SUM_MESSAGE', `${what}: ask its sender for the message of this version of the protocol`)
