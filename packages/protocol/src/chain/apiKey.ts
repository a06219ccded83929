/**
 * The key that an application without a wallet puts into an OpenAI client: a channel, a lane of it and that lane's delegate secret.
 * It can spend up to the lane's cap and nothing else (P-62).
 *
 *   plk_ + base64url(version 1 ‖ channel id 32 ‖ lane, 4 bytes big-endian ‖ delegate secret 32 ‖ first 4 bytes of SHA-256 of all before)
 */
import { concatBytes, equalBytes, fromHex, type Hex, toHex } from '../bytes.ts'
import { PotluckError } from '../PotluckError.ts'
import { sha256 } from '../sha256.ts'
import { fromBase64url, toBase64url } from './base64url.ts'

export type ApiKey = { channelId: Hex; lane: number; secret: Uint8Array }

const PREFIX = 'plk_'
const VERSION = 1
const CHECKSUM_BYTES = 4
const KEY_BYTES = 1 + 32 + 4 + 32 + CHECKSUM_BYTES

const checksum = (body: Uint8Array): Uint8Array => sha256(body).subarray(0, CHECKSUM_BYTES)

/** The key as a string of 102 characters. Throws BAD_API_KEY_PARTS when a part has the wrong size. */
export function encodeApiKey({ channelId, lane, secret }: ApiKey): string {
  const channel = fromHex(channelId)
  const laneFits = Number.isSafeInteger(lane) && lane >= 1 && lane <= 0xffff_ffff
  if (channel.length !== 32 || secret.length !== 32 || !laneFits) {
    throw new PotluckError(
      'BAD_API_KEY_PARTS',
      `expected 32 bytes of channel, a lane from 1 to 4294967295 and 32 bytes of secret, got ${channel.length}, ${lane}, ${secret.length}`,
    )
  }
  const laneBytes = Uint8Array.of(lane >>> 24, (lane >>> 16) & 255, (lane >>> 8) & 255, lane & 255)
  const body = concatBytes(Uint8Array.of(VERSION), channel, laneBytes, secret)
  return PREFIX + toBase64url(concatBytes(body, checksum(body)))
}

/** The parts of an API key. Throws BAD_API_KEY, one message for every way of being wrong; the key itself is never repeated. */
export function decodeApiKey(key: string): ApiKey {
  const bytes = bytesOf(key)
  const body = bytes?.subarray(0, KEY_BYTES - CHECKSUM_BYTES)
  const whole = bytes?.length === KEY_BYTES && body?.[0] === VERSION
  if (!bytes || !body || !whole || !equalBytes(checksum(body), bytes.subarray(body.length))) {
    throw new PotluckError(
      'BAD_API_KEY',
      `not a Potluck API key: expected ${PREFIX} and ${Math.ceil((KEY_BYTES * 4) / 3)} characters with a matching checksum, got ${key.length} characters; copy the key again, whole`,
      { length: key.length },
    )
  }
  const lane = new DataView(body.buffer, body.byteOffset + 33, 4).getUint32(0)
  return { channelId: toHex(body.subarray(1, 33)), lane, secret: body.slice(37, 69) }
}

function bytesOf(key: string): Uint8Array | undefined {
  if (!key.startsWith(PREFIX) || !/^[A-Za-z0-9_-]+$/.test(key.slice(PREFIX.length))) return undefined
  try {
    return fromBase64url(key.slice(PREFIX.length))
  } catch {
    // Not whole bytes: the caller says so together with every other defect.
    return undefined
  }
}
