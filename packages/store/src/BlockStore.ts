import { PotluckError } from '@potluck/protocol'
import type { CID } from 'multiformats/cid'
import { MAX_BLOCK_BYTES } from './blockCid.ts'

/**
 * Blocks by address. What `get` returns always matches the address it was asked for (P-22).
 *
 * Arrays passed in or handed out are shared, not copied: nobody writes into them.
 */
export interface BlockStore {
  /** True when a block of this address is there; the bytes are checked only by `get`. */
  has(cid: CID): Promise<boolean>
  /** The block, or undefined when it is not there. */
  get(cid: CID): Promise<Uint8Array | undefined>
  /** Keeps `bytes` (raw unless a codec is given) and returns their address; again is harmless. Throws BLOCK_TOO_LARGE. */
  put(bytes: Uint8Array, codec?: number): Promise<CID>
  /** Every address held, in no order. */
  list(): AsyncIterable<CID>
  /** Forgets one block; absent is no error. */
  delete(cid: CID): Promise<void>
}

/** Throws BLOCK_TOO_LARGE when `sizeBytes` exceeds what any store keeps and any peer sends (P-21). */
export function checkBlockSize(sizeBytes: number): void {
  if (sizeBytes > MAX_BLOCK_BYTES) {
    throw new PotluckError(
      'BLOCK_TOO_LARGE',
      `a block holds at most ${MAX_BLOCK_BYTES} bytes, this one has ${sizeBytes}: add it as a file, or split the object`,
      { sizeBytes, maxBytes: MAX_BLOCK_BYTES },
    )
  }
}
