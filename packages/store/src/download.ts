import { type Dispatcher, request } from 'undici'

export type Download =
  | { ok: true; bytes: Uint8Array }
  | { ok: false; why: string /** Too long, or a range that was not asked for. */; lied: boolean; absent: boolean }

export interface DownloadOptions {
  dispatcher: Dispatcher
  maxBytes: number
  /** Ends the whole download, resumed parts included. */
  signal: AbortSignal
}

// A source that breaks off more often than this is not worth its connection.
const MAX_RESUMES = 3

/**
 * The body at `url`, at most `maxBytes`; never throws for what the other side does.
 *
 * When the line breaks, the rest is asked for with `Range`, up to three times and only while bytes still come; a server
 * that answers such a request with the whole body is read from the start. Redirects are not followed.
 */
export async function download(url: URL, options: DownloadOptions): Promise<Download> {
  const parts: Uint8Array[] = []
  let have = 0
  for (let resumes = 0; ; resumes++) {
    const before = have
    try {
      const headers = have > 0 ? { range: `bytes=${have}-` } : {}
      const { dispatcher, signal } = options
      const answer = await request(url, { dispatcher, signal, headers, headersTimeout: 0, bodyTimeout: 0 })
      const refusal = refuse(answer.statusCode, answer.headers, have, options.maxBytes)
      if (refusal !== undefined) {
        // Our own end of an unread body is reported as an error event, which nobody else would hear.
        answer.body.once('error', () => undefined).destroy()
        return refusal
      }
      if (answer.statusCode === 200) {
        parts.length = 0
        have = 0
      }
      for await (const part of answer.body) {
        have += part.length
        if (have > options.maxBytes) return lie(`sent more than ${options.maxBytes} bytes`)
        parts.push(part)
      }
      return { ok: true, bytes: new Uint8Array(Buffer.concat(parts, have)) }
    } catch (cause) {
      const why = reason(cause)
      const progressed = have > before
      if (options.signal.aborted || !progressed || resumes === MAX_RESUMES)
        return { ok: false, why, lied: false, absent: false }
    }
  }
}

type Headers = Dispatcher.ResponseData['headers']

function refuse(status: number, headers: Headers, have: number, maxBytes: number): Download | undefined {
  if (status === 404 || status === 410) return { ok: false, why: 'does not have it', lied: false, absent: true }
  if (status !== 200 && status !== 206) return { ok: false, why: `answered ${status}`, lied: false, absent: false }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return lie(`offered more than ${maxBytes} bytes`)
  if (status === 206 && !String(headers['content-range'] ?? '').startsWith(`bytes ${have}-`)) {
    return lie(`answered another range than from ${have}`)
  }
  return undefined
}

function lie(why: string): Download {
  return { ok: false, why, lied: true, absent: false }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return 'broke off'
  const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code} ` : ''
  return `broke off: ${code}${cause.message}`.slice(0, 200)
}
