import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { codeOf } from '@potluck/protocol'
import type { CID } from 'multiformats/cid'
import type { BlockStore } from './BlockStore.ts'
import { parseCid } from './blockCid.ts'
import { exportCar } from './car.ts'
import { fileBlocks } from './linksOf.ts'
import { parseRange } from './parseRange.ts'

export interface BlockHandlerOptions {
  /** Told of failures of our own (disk, not garbage from outside). */
  onError?: (error: unknown) => void
}

/** Answers one request, or returns false and leaves it alone when the path is not `/blocks/…` or `/ipfs/…`. */
export type BlockHandler = (request: IncomingMessage, response: ServerResponse) => boolean

/**
 * Serves a store over plain HTTP, for any `node:http` server (P-26).
 *
 * - `GET` and `HEAD /blocks/<cid>`: the bytes of one block, with `Range` (one range), `ETag` and a cache life of a year.
 * - `GET /ipfs/<cid>?format=car`: all blocks below it as one CAR.
 *
 * Errors are JSON `{ error: { code, message } }`: 400 BAD_CID, 404 NOT_FOUND, 405, 416 BAD_RANGE, 500.
 */
export function createBlockHandler(store: BlockStore, options: BlockHandlerOptions = {}): BlockHandler {
  return (request, response) => {
    const found = /^\/(blocks|ipfs)\/([^/?#]*)(?:\?([^#]*))?$/.exec(request.url ?? '')
    if (found === null) return false
    const [, route, text = '', query = ''] = found
    const answered = answer(store, request, response, route === 'ipfs', text, query)
    answered.catch((error: unknown) => {
      // The asker left: nothing failed here.
      if (!response.destroyed && codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') options.onError?.(error)
      if (response.headersSent) response.destroy()
      else fail(response, 500, 'INTERNAL', 'the block could not be read: try another source')
    })
    return true
  }
}

async function answer(
  store: BlockStore,
  request: IncomingMessage,
  response: ServerResponse,
  asCar: boolean,
  text: string,
  query: string,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return fail(response, 405, 'BAD_METHOD', `blocks are read with GET or HEAD, not ${request.method}`)
  }
  const cid = cidOrWhy(text)
  if (typeof cid === 'string') return fail(response, 400, 'BAD_CID', cid)
  if (!asCar) return sendBlock(store, request, response, cid)
  if (new URLSearchParams(query).get('format') !== 'car') {
    return fail(response, 400, 'BAD_FORMAT', 'ask for ?format=car here, or for single blocks under /blocks/')
  }
  return sendCar(store, request, response, cid)
}

async function sendBlock(
  store: BlockStore,
  request: IncomingMessage,
  response: ServerResponse,
  cid: CID,
): Promise<void> {
  const etag = `"${cid}"`
  const bytes = await store.get(cid)
  if (bytes === undefined) return fail(response, 404, 'NOT_FOUND', `block ${cid} is not held here`)
  setHeaders(response, 'application/vnd.ipld.raw', etag)
  response.setHeader('accept-ranges', 'bytes')
  if (request.headers['if-none-match']?.includes(etag)) {
    response.writeHead(304).end()
    return
  }
  const range = parseRange(request.headers.range, bytes.length)
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${bytes.length}`)
    return fail(response, 416, 'BAD_RANGE', `block ${cid} has ${bytes.length} bytes`)
  }
  if (range !== undefined) response.setHeader('content-range', `bytes ${range.first}-${range.end - 1}/${bytes.length}`)
  const body = range === undefined ? bytes : bytes.subarray(range.first, range.end)
  response.setHeader('content-length', body.length)
  response.writeHead(range === undefined ? 200 : 206)
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function sendCar(store: BlockStore, request: IncomingMessage, response: ServerResponse, cid: CID): Promise<void> {
  try {
    // Walked before the first byte: a CAR that breaks off cannot be told from a broken line.
    await fileBlocks(store, cid)
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND') return fail(response, 404, 'NOT_FOUND', `not all blocks of ${cid} are held here`)
    if (codeOf(error) === 'BAD_BLOCK') return fail(response, 422, 'BAD_BLOCK', `the blocks of ${cid} do not decode`)
    throw error
  }
  setHeaders(response, 'application/vnd.ipld.car; version=1', `"${cid}.car"`)
  response.writeHead(200)
  if (request.method === 'HEAD') response.end()
  else await pipeline(exportCar(store, cid), response)
}

function setHeaders(response: ServerResponse, contentType: string, etag: string): void {
  response.setHeader('content-type', contentType)
  response.setHeader('etag', etag)
  // The address fixes the content for ever.
  response.setHeader('cache-control', 'public, max-age=31536000, immutable')
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('x-content-type-options', 'nosniff')
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ error: { code, message } })
  for (const name of ['etag', 'accept-ranges']) response.removeHeader(name)
  response.setHeader('cache-control', 'no-store')
  response.setHeader('access-control-allow-origin', '*')
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function cidOrWhy(text: string): CID | string {
  try {
    return parseCid(text)
  } catch (error) {
    if (codeOf(error) === 'BAD_CID' && error instanceof Error) return error.message
    throw error
  }
}
