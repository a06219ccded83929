import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { PotluckError } from '@potluck/protocol'
import { CID } from 'multiformats/cid'
import type { BlockStore } from './BlockStore.ts'
import { cidOfDigest, DAG_CBOR, DAG_PB, digestOf } from './blockCid.ts'

/** Blocks of one walk: 100,000 of 1 MiB are 100 GB, more than any single file here. */
export const MAX_WALK_BLOCKS = 100_000

/**
 * The addresses a block points to, in order, repeats included; none for a raw block.
 *
 * @throws PotluckError BAD_BLOCK when the bytes are not of the codec that `cid` names
 */
export function linksOf(cid: CID, bytes: Uint8Array): CID[] {
  try {
    if (cid.code === DAG_PB) return dagPb.decode(bytes).Links.map((link) => normal(link.Hash))
    if (cid.code === DAG_CBOR) return collect(dagCbor.decode(bytes)).map(normal)
    return []
  } catch (cause) {
    const message = `block ${cid} does not decode under its codec 0x${cid.code.toString(16)}: whoever made it must make it again`
    throw new PotluckError('BAD_BLOCK', message, { cid: cid.toString() }, { cause, remedy: 'give-up' })
  }
}

/**
 * Every address below `root`, root first, level by level, each once.
 *
 * @throws PotluckError NOT_FOUND when a block is missing, BAD_BLOCK when one does not decode, TOO_MANY_BLOCKS
 */
export async function fileBlocks(store: BlockStore, root: CID, maxBlocks: number = MAX_WALK_BLOCKS): Promise<CID[]> {
  const seen = new Map([[root.toString(), root]])
  // A Map hands out entries added while it is walked: the queue and the answer are one.
  for (const cid of seen.values()) {
    const bytes = await needBlock(store, cid)
    for (const link of linksOf(cid, bytes)) seen.set(link.toString(), link)
    checkWalk(root, seen.size, maxBlocks)
  }
  return [...seen.values()]
}

/** The block, from the store alone. Throws NOT_FOUND. */
export async function needBlock(store: BlockStore, cid: CID): Promise<Uint8Array> {
  const bytes = await store.get(cid)
  if (bytes !== undefined) return bytes
  const message = `block ${cid} is not in this store: fetch it from a peer first`
  throw new PotluckError('NOT_FOUND', message, { cid: cid.toString() }, { remedy: 'retry' })
}

/** Throws TOO_MANY_BLOCKS: a root may name more blocks than a disk holds. */
export function checkWalk(root: CID, count: number, maxBlocks: number): void {
  if (count <= maxBlocks) return
  const message = `${root} has more than ${maxBlocks} blocks: raise maxBlocks if that is meant`
  throw new PotluckError('TOO_MANY_BLOCKS', message, { root: root.toString(), maxBlocks })
}

function normal(cid: CID): CID {
  return cidOfDigest(cid.code, digestOf(cid))
}

function collect(value: unknown): CID[] {
  const found: CID[] = []
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    const cid = CID.asCID(next)
    if (cid !== null) found.push(cid)
    else if (Array.isArray(next)) open.push(...next.toReversed())
    else if (next instanceof Uint8Array || typeof next !== 'object' || next === null) continue
    else open.push(...Object.values(next).toReversed())
  }
  return found
}
