import { createHash } from 'node:crypto'
import { PotluckError, toHex } from '@potluck/protocol'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

export const RAW = 0x55
export const DAG_PB = 0x70
export const DAG_CBOR = 0x71
const SHA2_256 = 0x12
const codecs: readonly number[] = [RAW, DAG_PB, DAG_CBOR]

/** Largest block, in bytes: one raw leaf of a file. Everything longer is a file of several blocks (P-21). */
export const MAX_BLOCK_BYTES = 1_048_576

/** The address of `bytes`: CIDv1 over their SHA-256 (P-20). Cost: one hash. */
export function blockCid(bytes: Uint8Array, codec: number = RAW): CID {
  return cidOfDigest(codec, createHash('sha256').update(bytes).digest())
}

/** True when `bytes` are what `cid` names. Cost: one hash. */
export function verifyBlock(cid: CID, bytes: Uint8Array): boolean {
  return createHash('sha256').update(bytes).digest().equals(digestOf(cid))
}

/** The 32 bytes that a contract stores for `cid`; the codec is kept elsewhere. Throws BAD_CID unless sha2-256. */
export function digestOf(cid: CID): Uint8Array {
  if (cid.multihash.code !== SHA2_256 || cid.multihash.digest.length !== 32) {
    throw badCid(cid.toString(), 'its hash is not sha2-256')
  }
  return cid.multihash.digest
}

/** The CIDv1 of a 32-byte SHA-256 digest. Throws BAD_CID for another length or a codec that blocks cannot have. */
export function cidOfDigest(codec: number, digest: Uint8Array): CID {
  if (digest.length !== 32) throw badCid(toHex(digest.subarray(0, 64)), `a digest has 32 bytes, not ${digest.length}`)
  if (!codecs.includes(codec)) throw badCid(`codec 0x${codec.toString(16)}`, 'use raw, dag-pb or dag-cbor')
  return CID.createV1(codec, Digest.create(SHA2_256, new Uint8Array(digest)))
}

/**
 * Reads a CID that somebody else wrote. Version 0 comes back as version 1, so equal content has equal text.
 *
 * @throws PotluckError BAD_CID for anything that is not raw, dag-pb or dag-cbor under sha2-256 (P-20)
 */
export function parseCid(text: string): CID {
  if (text.length > 128) throw badCid(text, 'it is too long')
  try {
    const cid = CID.parse(text)
    return cidOfDigest(cid.code, digestOf(cid))
  } catch (cause) {
    if (cause instanceof PotluckError) throw cause
    throw badCid(text, 'it does not decode', cause)
  }
}

function badCid(seen: string, why: string, cause?: unknown): PotluckError {
  const short = seen.slice(0, 80)
  return new PotluckError(
    'BAD_CID',
    `not a usable content address: ${JSON.stringify(short)}: ${why}; give a CID of a raw, dag-pb or dag-cbor block under sha2-256`,
    { seen: short },
    { cause },
  )
}
