import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf } from '@potluck/protocol'
import type { CID } from 'multiformats/cid'
import { type BlockStore, checkBlockSize } from './BlockStore.ts'
import { blockCid, digestOf, parseCid, verifyBlock } from './blockCid.ts'

// A temporary file this old belongs to no running `put`, not even on a stalled disk.
const STALE_MS = 3_600_000

export interface FileBlockStoreOptions {
  /** Told when a block on disk no longer matches its address; the file has then been moved to `path`. */
  onCorrupt?: (cid: CID, path: string) => void
  /** Wait for the disk before a block counts as kept; default true. Without it a power cut may lose the last blocks. */
  durable?: boolean
}

/**
 * A store in the folder `dir`: `blocks/<first digest byte>/<cid>`, one file a block.
 *
 * A block appears by rename of a finished, flushed file, so a crash at any moment leaves either the whole block or
 * none (P-23). A file that does not match its name is set aside in `corrupt/`, reported, and from then on absent, so
 * that it can be fetched again. Cost: one hash a read, one flush of file and folder a new block.
 */
export function fileBlockStore(dir: string, options: FileBlockStoreOptions = {}): BlockStore {
  const durable = options.durable ?? true
  const temporary = join(dir, 'tmp')
  const shardOf = (cid: CID): string => (digestOf(cid)[0] ?? 0).toString(16).padStart(2, '0')
  const pathOf = (cid: CID): string => join(dir, 'blocks', shardOf(cid), cid.toString())
  let ready: Promise<void> | undefined

  /** Once per store: makes the folders and clears what a killed process left behind. */
  function prepare(): Promise<void> {
    ready ??= clearStale(temporary).catch((cause) => {
      ready = undefined
      throw cause
    })
    return ready
  }

  async function get(cid: CID): Promise<Uint8Array | undefined> {
    const path = pathOf(cid)
    const bytes = await unlessAbsent(readFile(path))
    if (bytes === undefined) return undefined
    if (verifyBlock(cid, bytes)) return bytes
    const aside = join(dir, 'corrupt', cid.toString())
    await mkdir(dirname(aside), { recursive: true })
    await unlessAbsent(rename(path, aside))
    options.onCorrupt?.(cid, aside)
    return undefined
  }

  return {
    get,
    has: async (cid) => (await unlessAbsent(stat(pathOf(cid)))) !== undefined,
    async put(bytes, codec) {
      checkBlockSize(bytes.length)
      const cid = blockCid(bytes, codec)
      // A whole read, not `has`: the right name over wrong bytes must not keep the right bytes out.
      if ((await get(cid)) !== undefined) return cid
      await prepare()
      const path = pathOf(cid)
      await mkdir(dirname(path), { recursive: true })
      const draft = join(temporary, randomUUID())
      try {
        await writeWhole(draft, bytes, durable)
        await rename(draft, path)
      } catch (cause) {
        await rm(draft, { force: true })
        throw cause
      }
      if (durable) await flushFolder(dirname(path))
      return cid
    },
    async *list(): AsyncGenerator<CID> {
      for (const shard of (await unlessAbsent(readdir(join(dir, 'blocks')))) ?? []) {
        // A name that is no CID was not written by this store: leave it, and do not offer it.
        for (const name of (await unlessAbsent(readdir(join(dir, 'blocks', shard)))) ?? []) {
          const cid = cidOrNothing(name)
          if (cid !== undefined && shardOf(cid) === shard) yield cid
        }
      }
    },
    delete: (cid) => rm(pathOf(cid), { force: true }),
  }
}

async function clearStale(temporary: string): Promise<void> {
  await mkdir(temporary, { recursive: true })
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name)
    const found = await unlessAbsent(stat(path))
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { force: true })
  }
}

async function writeWhole(path: string, bytes: Uint8Array, durable: boolean): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(bytes)
    if (durable) await file.datasync()
  } finally {
    await file.close()
  }
}

/** A renamed file survives a power cut only once its folder is on disk too. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function unlessAbsent<T>(action: Promise<T>): Promise<T | undefined> {
  try {
    return await action
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return undefined
    throw cause
  }
}

function cidOrNothing(text: string): CID | undefined {
  try {
    return parseCid(text)
  } catch (cause) {
    if (codeOf(cause) === 'BAD_CID') return undefined
    throw cause
  }
}
