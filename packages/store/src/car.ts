import { CarBlockIterator } from '@ipld/car/iterator'
import * as dagCbor from '@ipld/dag-cbor'
import { PotluckError } from '@potluck/protocol'
import { varint } from 'multiformats'
import { CID } from 'multiformats/cid'
import type { BlockStore } from './BlockStore.ts'
import { cidOfDigest, digestOf, MAX_BLOCK_BYTES, verifyBlock } from './blockCid.ts'
import { checkWalk, fileBlocks, MAX_WALK_BLOCKS, needBlock } from './linksOf.ts'

/** All blocks below `root` as one CAR version 1, root first. Throws NOT_FOUND before the first byte if one is missing. */
export async function* exportCar(store: BlockStore, root: CID): AsyncGenerator<Uint8Array> {
  const cids = await fileBlocks(store, root)
  yield* section(dagCbor.encode({ roots: [root], version: 1 }))
  for (const cid of cids) yield* section(cid.bytes, await needBlock(store, cid))
}

// Written by hand: the package's writer waits for ever for a reader when a block turns out missing halfway.
function* section(...parts: Uint8Array[]): Generator<Uint8Array> {
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0)
  yield varint.encodeTo(sizeBytes, new Uint8Array(varint.encodingLength(sizeBytes)))
  yield* parts
}

/**
 * Keeps every block of a CAR and returns its roots.
 *
 * Each block is hashed before it is kept, so blocks before a fault stay: they are what they say they are.
 *
 * @throws PotluckError BAD_CAR (cut short, malformed, or a block that does not match), TOO_MANY_BLOCKS
 */
export async function importCar(
  store: BlockStore,
  source: AsyncIterable<Uint8Array>,
  options: { maxBlocks?: number; signal?: AbortSignal } = {},
): Promise<CID[]> {
  let unread = 0
  async function* bounded(): AsyncGenerator<Uint8Array> {
    for await (const part of source) {
      options.signal?.throwIfAborted()
      unread += part.length
      yield part
      // The reader gathers a section until it is whole, however long it claims to be: stop it here.
      if (unread > 2 * MAX_BLOCK_BYTES + part.length) throw badCar('a section is longer than any block')
    }
  }
  const maxBlocks = options.maxBlocks ?? MAX_WALK_BLOCKS
  try {
    const blocks = await CarBlockIterator.fromIterable(bounded())
    const roots = await blocks.getRoots()
    let count = 0
    for await (const { cid, bytes } of blocks) {
      unread = 0
      count++
      const plain = plainCid(cid)
      if (roots[0] !== undefined) checkWalk(plainCid(roots[0]), count, maxBlocks)
      if (!verifyBlock(plain, bytes)) throw badCar(`block ${plain} has other bytes than its address says`)
      await store.put(bytes, plain.code)
    }
    return roots.map(plainCid)
  } catch (cause) {
    if (cause instanceof PotluckError || options.signal?.aborted) throw cause
    throw badCar(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function plainCid(cid: CID): CID {
  return cidOfDigest(cid.code, digestOf(CID.asCID(cid) ?? cid))
}

function badCar(why: string, cause?: unknown): PotluckError {
  return new PotluckError(
    'BAD_CAR',
    `the archive cannot be read: ${why}; ask its maker for another copy`,
    {},
    { cause },
  )
}
