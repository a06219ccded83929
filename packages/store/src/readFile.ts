import * as dagPb from '@ipld/dag-pb'
import { PotluckError } from '@potluck/protocol'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import type { BlockStore } from './BlockStore.ts'
import { DAG_PB, RAW } from './blockCid.ts'
import { linksOf, needBlock } from './linksOf.ts'

export interface ReadOptions {
  /** First byte wanted; default 0. */
  offset?: number
  /** Bytes wanted at most; default to the end. */
  length?: number
  signal?: AbortSignal
}

// A tree of 1,024 links a node reaches 2^50 leaves at depth 5; a deeper one is an attack on the stack.
const MAX_DEPTH = 16

/**
 * The bytes of a file, from the store alone; fewer than `length` when the file ends before.
 *
 * @throws PotluckError NOT_FOUND (a block is missing), NOT_A_FILE, BAD_BLOCK (sizes that do not add up), FILE_TOO_LARGE
 *   when more than `maxBytes` (default 1 GiB) would be held at once: use `readFileParts`
 */
export async function readFile(
  store: BlockStore,
  cid: CID,
  options: ReadOptions & { maxBytes?: number } = {},
): Promise<Uint8Array> {
  const maxBytes = options.maxBytes ?? 2 ** 30
  const parts: Uint8Array[] = []
  let sizeBytes = 0
  for await (const part of readFileParts(store, cid, options)) {
    sizeBytes += part.length
    if (sizeBytes > maxBytes) {
      throw new PotluckError('FILE_TOO_LARGE', `${cid} has more than ${maxBytes} bytes: read it in parts`, {
        cid: cid.toString(),
        maxBytes,
      })
    }
    parts.push(part)
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : new Uint8Array(Buffer.concat(parts, sizeBytes))
}

/** The bytes of a file in order, leaf by leaf; only leaves that the range touches are read. Errors as `readFile`. */
export async function* readFileParts(
  store: BlockStore,
  cid: CID,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  const first = whole('offset', options.offset ?? 0)
  const end = options.length === undefined ? Number.MAX_SAFE_INTEGER : first + whole('length', options.length)
  yield* readNode(store, cid, first, end, 0, options.signal)
}

/** The part of this subtree within `first` (inclusive) to `end` (exclusive), both counted from the subtree's start. */
async function* readNode(
  store: BlockStore,
  cid: CID,
  first: number,
  end: number,
  depth: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted()
  if (depth > MAX_DEPTH) throw badFile(cid, `it is nested deeper than ${MAX_DEPTH}`)
  const node = readHeader(cid, await needBlock(store, cid))
  if (first < node.data.length && end > 0) yield node.data.subarray(first, Math.min(end, node.data.length))
  let start = node.data.length
  for (const [i, link] of node.links.entries()) {
    const sizeBytes = node.sizes[i] ?? 0
    if (start >= end) return
    if (start + sizeBytes > first) {
      const wanted = Math.min(end, start + sizeBytes) - Math.max(first, start)
      let got = 0
      // One byte beyond the stated size is asked for, so that a longer child is noticed and not cut.
      const childEnd = end - start < sizeBytes ? end - start : sizeBytes + 1
      for await (const part of readNode(store, link, Math.max(0, first - start), childEnd, depth + 1, signal)) {
        got += part.length
        if (got > wanted) break
        yield part
      }
      if (got !== wanted) throw badFile(cid, `its child ${link} does not have the ${sizeBytes} bytes it states`)
    }
    start += sizeBytes
  }
}

interface FileNode {
  data: Uint8Array
  links: CID[]
  /** Bytes of the file below each link. */
  sizes: number[]
}

function readHeader(cid: CID, bytes: Uint8Array): FileNode {
  if (cid.code === RAW) return { data: bytes, links: [], sizes: [] }
  if (cid.code !== DAG_PB) throw notAFile(cid, `codec 0x${cid.code.toString(16)}`)
  const links = linksOf(cid, bytes)
  const header = decodeHeader(cid, bytes)
  if (header.type !== 'file' && header.type !== 'raw') throw notAFile(cid, header.type)
  const sizes = header.blockSizes.map(Number)
  if (sizes.length !== links.length) throw badFile(cid, `it has ${links.length} links but ${sizes.length} sizes`)
  if (!Number.isSafeInteger(sizes.reduce((sum, size) => sum + size, 0))) throw badFile(cid, 'its size is beyond 2^53')
  return { data: header.data ?? new Uint8Array(), links, sizes }
}

function decodeHeader(cid: CID, bytes: Uint8Array): UnixFS {
  try {
    return UnixFS.unmarshal(dagPb.decode(bytes).Data ?? new Uint8Array())
  } catch (cause) {
    throw badFile(cid, 'it has no UnixFS header', cause)
  }
}

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new PotluckError('BAD_RANGE', `${name} is a whole number of bytes from 0, not ${value}`, { [name]: value })
}

function notAFile(cid: CID, seen: string): PotluckError {
  const message = `${cid} is not a file but ${seen}: read it with getObject, or name a file inside it`
  return new PotluckError('NOT_A_FILE', message, { cid: cid.toString(), seen })
}

function badFile(cid: CID, why: string, cause?: unknown): PotluckError {
  const message = `${cid} is no well-formed file: ${why}; whoever made it must make it again`
  return new PotluckError('BAD_BLOCK', message, { cid: cid.toString() }, { cause, remedy: 'give-up' })
}
