import { decode } from '@ipld/dag-cbor'
import * as p from '@potluck/protocol'
import { z } from 'zod'

const documentSchema = z.union([
  p.jobDocument,
  p.assetMetadata,
  p.payoutDocument,
  p.auditReport,
  p.transcript,
  p.receiptBatch,
])
export type LedgerDocument = z.infer<typeof documentSchema>

/** `wrong-bytes`: not what was asked for, ask somebody else. `bad`: exactly what was asked for, and of no use to anyone. */
export type ReadDocument =
  | { ok: true; document: LedgerDocument }
  | { ok: false; kind: 'wrong-bytes' | 'bad'; reason: string }

const MAX_BYTES = 1_048_576

/** The document behind `digest` in `bytes`, checked: digest, then CBOR, then schema. Never throws. */
export function readDocument(digest: p.Hex, bytes: Uint8Array): ReadDocument {
  const seen = p.toHex(p.sha256(bytes))
  if (seen !== digest) return { ok: false, kind: 'wrong-bytes', reason: `the bytes hash to ${seen}` }
  if (bytes.length > MAX_BYTES) return { ok: false, kind: 'bad', reason: `${bytes.length} bytes, limit ${MAX_BYTES}` }
  let decoded: unknown
  try {
    decoded = decode(bytes)
  } catch (error) {
    return { ok: false, kind: 'bad', reason: `not canonical CBOR: ${(error as Error).message}` }
  }
  const parsed = documentSchema.safeParse(decoded)
  if (!parsed.success) return { ok: false, kind: 'bad', reason: p.describeIssues(parsed.error) }
  return { ok: true, document: parsed.data }
}

/** What is kept of a document as JSON: amounts as digits; of byte strings only their length. */
export function documentJson(document: LedgerDocument): string {
  return JSON.stringify(document, (_, value: unknown) => {
    if (typeof value === 'bigint') return value.toString()
    // JSON in Postgres cannot hold a NUL.
    if (typeof value === 'string') return value.replaceAll('\0', '')
    return value instanceof Uint8Array ? { bytes: value.length } : value
  })
}
