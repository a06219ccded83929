import type { CID } from 'multiformats/cid'
import { type BlockStore, checkBlockSize } from './BlockStore.ts'
import { blockCid, parseCid } from './blockCid.ts'

/** A store that lives as long as the process; for tests, the simulator and short commands. */
export function memoryBlockStore(): BlockStore {
  const blocks = new Map<string, Uint8Array>()
  return {
    has: async (cid) => blocks.has(cid.toString()),
    get: async (cid) => blocks.get(cid.toString()),
    async put(bytes, codec) {
      checkBlockSize(bytes.length)
      const cid = blockCid(bytes, codec)
      // A copy: the caller's array is often a view into a larger buffer that would be kept alive or overwritten.
      if (!blocks.has(cid.toString())) blocks.set(cid.toString(), new Uint8Array(bytes))
      return cid
    },
    async *list(): AsyncGenerator<CID> {
      for (const text of [...blocks.keys()]) yield parseCid(text)
    },
    async delete(cid) {
      blocks.delete(cid.toString())
    },
  }
}
