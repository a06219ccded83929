import * as dagCbor from '@ipld/dag-cbor'
import { PotluckError } from '@potluck/protocol'
import type { CID } from 'multiformats/cid'
import type { ZodType, ZodTypeDef } from 'zod'
import { type BlockStore, checkBlockSize } from './BlockStore.ts'
import { DAG_CBOR } from './blockCid.ts'
import { needBlock } from './linksOf.ts'

/**
 * Keeps a value as one dag-cbor block and returns its address; equal values have equal addresses (P-25).
 *
 * Values: strings, booleans, null, numbers, bigints within 64 bits, byte arrays, CIDs, arrays, plain objects; no
 * `undefined`. A bigint within 2^53 comes back as a number: schemas of amounts say `z.coerce.bigint()` or use text.
 *
 * @throws PotluckError BAD_OBJECT for any other value, BLOCK_TOO_LARGE beyond 1 MiB
 */
export async function putObject(store: BlockStore, value: unknown): Promise<CID> {
  let bytes: Uint8Array
  try {
    bytes = dagCbor.encode(value)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new PotluckError('BAD_OBJECT', `the value cannot be written as dag-cbor: ${why}`, {}, { cause })
  }
  checkBlockSize(bytes.length)
  return store.put(bytes, DAG_CBOR)
}

/**
 * The value at `cid`, checked against `schema`.
 *
 * @throws PotluckError NOT_FOUND when the block is not here, BAD_OBJECT when it is no dag-cbor or breaks the schema
 */
export async function getObject<T>(store: BlockStore, cid: CID, schema: ZodType<T, ZodTypeDef, unknown>): Promise<T> {
  return decodeObject(cid, await needBlock(store, cid), schema)
}

/** As `getObject`, for bytes already at hand and already verified. */
export function decodeObject<T>(cid: CID, bytes: Uint8Array, schema: ZodType<T, ZodTypeDef, unknown>): T {
  if (cid.code !== DAG_CBOR) throw badObject(cid, `its codec is 0x${cid.code.toString(16)}, not dag-cbor`)
  let value: unknown
  try {
    value = dagCbor.decode(bytes)
  } catch (cause) {
    throw badObject(cid, 'it is not dag-cbor', cause)
  }
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  const issues = checked.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`)
  throw badObject(cid, issues.join('; '), checked.error)
}

function badObject(cid: CID, why: string, cause?: unknown): PotluckError {
  const message = `object ${cid} is not what was expected: ${why}`
  return new PotluckError('BAD_OBJECT', message, { cid: cid.toString() }, { cause, remedy: 'give-up' })
}
