import { decode } from '@ipld/dag-cbor'
import { describeIssues, PotluckError } from '@potluck/protocol'
import type { ZodType, ZodTypeDef } from 'zod'

/** A dag-cbor block as the document its schema describes. Throws BAD_DOCUMENT with the place and what was expected. */
export function decodeDocument<T>(schema: ZodType<T, ZodTypeDef, unknown>, bytes: Uint8Array): T {
  let value: unknown
  try {
    value = decode(bytes)
  } catch (cause) {
    throw new PotluckError(
      'BAD_DOCUMENT',
      `not dag-cbor: ${(cause as Error).message}`,
      { sizeBytes: bytes.length },
      { cause },
    )
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PotluckError('BAD_DOCUMENT', `not a document of this kind: ${describeIssues(parsed.error)}`, {
    sizeBytes: bytes.length,
  })
}
