import { encode } from '@ipld/dag-cbor'
import { type Hex, toHex } from '../bytes.ts'
import { PotluckError } from '../PotluckError.ts'
import { sha256 } from '../sha256.ts'

/**
 * What a voucher says it pays for: SHA-256 of the canonical CBOR of `{ path, body }` (P-61).
 *
 * `body` is the parsed JSON, so that spaces and the order of keys do not matter; `path` has no query, such as `/v1/completions`.
 * Throws BAD_BODY for what JSON cannot hold (undefined, NaN, functions).
 */
export function requestHash(path: string, body: unknown): Hex {
  try {
    return toHex(sha256(encode({ path, body })))
  } catch (cause) {
    throw new PotluckError('BAD_BODY', `the body is not plain JSON: ${(cause as Error).message}`, { path }, { cause })
  }
}
