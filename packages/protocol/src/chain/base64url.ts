import { base64url } from 'multiformats/bases/base64'
import { PotluckError } from '../PotluckError.ts'

/** Base64 in the URL-safe alphabet, without padding (RFC 4648, section 5). */
export const toBase64url = (bytes: Uint8Array): string => base64url.baseEncode(bytes)

/** The bytes of unpadded base64url. Throws BAD_BASE64 for any other character. */
export function fromBase64url(text: string): Uint8Array {
  try {
    return base64url.baseDecode(text)
  } catch (cause) {
    const facts = { length: text.length }
    throw new PotluckError('BAD_BASE64', 'expected base64url without padding (A-Z a-z 0-9 - _)', facts, { cause })
  }
}
