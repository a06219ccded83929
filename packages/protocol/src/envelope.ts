/**
 * The signed wrapping of every gossip message (P-02 … P-07): canonical CBOR of version, network, kind, body, time and signature.
 *
 * The signature covers all the rest, the network's name included, so that a message of one network says nothing on another.
 */
import { decode, encode } from '@ipld/dag-cbor'
import { z } from 'zod'
import { fromHex, type Hex, toHex, utf8 } from './bytes.ts'
import * as f from './fields.ts'
import { type Kind, type Message, messageSchemas } from './messages.ts'
import { PotluckError } from './PotluckError.ts'
import { sha256 } from './sha256.ts'
import { recoverSigner, signDigest } from './signature.ts'

export const ENVELOPE_VERSION = 1
/** 64 KiB: larger things are blocks, fetched by their CID. */
export const MAX_MESSAGE_BYTES = 65_536
/** A minute: more than any honest clock is off, short enough that old messages cannot pile up. */
export const MAX_CLOCK_SKEW_MS = 60_000

const envelopeSchema = z
  .object({
    v: z.literal(ENVELOPE_VERSION),
    network: z.string().max(64),
    kind: z.string().max(16),
    body: z.unknown(),
    atMs: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
    signature: f.signature,
  })
  .strict()

export type Received = Message & { from: Hex; atMs: number; id: Hex; bytes: Uint8Array }

/** `ignore`: drop silently. `reject`: drop and lower the sender's score. */
export type Opened =
  | { ok: true; message: Received }
  | { ok: false; action: 'ignore' | 'reject'; rule: string; reason: string }

const signedDigest = (network: string, kind: string, body: unknown, atMs: number): Uint8Array =>
  sha256(utf8('potluck message'), encode([ENVELOPE_VERSION, network, kind, body, atMs]))

/** The bytes to gossip. `secret` is the node key. */
export function sealMessage(network: string, message: Message, atMs: number, secret: Uint8Array): Uint8Array {
  const digest = signedDigest(network, message.kind, message.body, atMs)
  const signature = toHex(signDigest(digest, secret))
  const bytes = encode({ v: ENVELOPE_VERSION, network, kind: message.kind, body: message.body, atMs, signature })
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new PotluckError(
      'MESSAGE_TOO_LARGE',
      `a ${message.kind} message of ${bytes.length} bytes; the limit is ${MAX_MESSAGE_BYTES}: put the contents in a block and send its CID`,
    )
  }
  return bytes
}

const no = (action: 'ignore' | 'reject', rule: string, reason: string): Opened => ({ ok: false, action, rule, reason })

/**
 * The message in `bytes`, or why it is refused. Never throws: what peers send is not under our control.
 * Checks in order of cost: size, CBOR, schema, network, age, signature (about a millisecond, or what `recover` takes).
 *
 * @param recover in place of the real recovery, for a simulation that made the signatures itself
 */
export function openMessage(
  network: string,
  bytes: Uint8Array,
  nowMs: number,
  recover: (digest: Uint8Array, signature: Uint8Array) => Hex = recoverSigner,
): Opened {
  if (bytes.length > MAX_MESSAGE_BYTES) return no('reject', 'P-02', `${bytes.length} bytes, limit ${MAX_MESSAGE_BYTES}`)
  let decoded: unknown
  try {
    decoded = decode(bytes)
  } catch (error) {
    return no('reject', 'P-03', `not canonical CBOR: ${(error as Error).message}`)
  }
  const envelope = envelopeSchema.safeParse(decoded)
  if (!envelope.success) return no('reject', 'P-04', describeIssues(envelope.error))
  const { kind, body, atMs, signature } = envelope.data
  // Another network may share a bootstrap node: its traffic is not an offence.
  if (envelope.data.network !== network) return no('ignore', 'P-05', `for network ${envelope.data.network}`)
  const schema = messageSchemas[kind as Kind]
  if (!Object.hasOwn(messageSchemas, kind)) return no('ignore', 'P-04', `unknown kind ${kind}`)
  const parsed = schema.safeParse(body)
  if (!parsed.success) return no('reject', 'P-04', `${kind}: ${describeIssues(parsed.error)}`)
  // A wrong clock, ours or theirs, is no offence either.
  if (Math.abs(nowMs - atMs) > MAX_CLOCK_SKEW_MS)
    return no('ignore', 'P-06', `${Math.round((nowMs - atMs) / 1000)} s old`)
  try {
    const digest = signedDigest(network, kind, body, atMs)
    const from = recover(digest, fromHex(signature))
    const message = { kind, body: parsed.data, from, atMs, id: toHex(digest), bytes } as Received
    return { ok: true, message }
  } catch (error) {
    return no('reject', 'P-07', (error as Error).message)
  }
}

/** Zod's findings on one line: where, and what was expected. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`)
    .join('; ')
}
