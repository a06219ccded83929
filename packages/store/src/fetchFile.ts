import type { CID } from 'multiformats/cid'
import type { BlockStore } from './BlockStore.ts'
import type { Fetcher } from './createFetcher.ts'
import { checkWalk, linksOf, MAX_WALK_BLOCKS } from './linksOf.ts'

export interface FetchedFile {
  /** All blocks below the root, root included. */
  blocks: number
  /** Bytes that came over the wire; blocks already held cost none. */
  fetchedBytes: number
}

/**
 * Brings every block below `root` into the store, four at a time (P-29).
 *
 * What is already held is not fetched again, so a call that was cut short goes on where it stopped.
 *
 * @throws PotluckError NOT_FOUND or BAD_BLOCK from the fetcher, TOO_MANY_BLOCKS; the signal's reason when aborted.
 *   Transfers under way are ended first, and what was fetched stays in the store.
 */
export async function fetchFile(
  fetcher: Fetcher,
  store: BlockStore,
  root: CID,
  options: { limit?: number; maxBlocks?: number; signal?: AbortSignal } = {},
): Promise<FetchedFile> {
  const maxBlocks = options.maxBlocks ?? MAX_WALK_BLOCKS
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  const seen = new Set([root.toString()])
  const waiting = [root]
  const running = new Set<Promise<void>>()
  let fetchedBytes = 0

  async function bring(cid: CID): Promise<void> {
    let bytes = await store.get(cid)
    if (bytes === undefined) {
      bytes = await fetcher.fetchBlock(cid, { signal })
      await store.put(bytes, cid.code)
      fetchedBytes += bytes.length
    }
    for (const link of linksOf(cid, bytes)) {
      if (seen.has(link.toString())) continue
      seen.add(link.toString())
      waiting.push(link)
    }
    checkWalk(root, seen.size, maxBlocks)
  }

  try {
    while (waiting.length > 0 || running.size > 0) {
      signal.throwIfAborted()
      while (waiting.length > 0 && running.size < (options.limit ?? 4)) {
        const job: Promise<void> = bring(waiting.shift() as CID).finally(() => running.delete(job))
        running.add(job)
      }
      await Promise.race(running)
    }
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(running)
    throw error
  }
  return { blocks: seen.size, fetchedBytes }
}
