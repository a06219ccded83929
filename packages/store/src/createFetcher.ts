import { setTimeout as sleep } from 'node:timers/promises'
import { PotluckError } from '@potluck/protocol'
import type { CID } from 'multiformats/cid'
import { Agent } from 'undici'
import { MAX_BLOCK_BYTES, verifyBlock } from './blockCid.ts'
import { download } from './download.ts'

export interface FetcherOptions {
  /** Full addresses of one block, best first; see `blockUrl`. Asked again for every block. */
  urls: (cid: CID) => readonly string[] | Promise<readonly string[]>
  /** For one source and one block, from the first byte sent to the last received; default 10,000. */
  timeoutMs?: number
  /** Longest answer taken; default and largest sensible value 1 MiB (P-21). */
  maxBlockBytes?: number
  /** How often the whole list of sources is tried; default 2. */
  rounds?: number
  /** Told of every failure of a source, also when another one then delivers. `lied` means: hash or size was wrong. */
  onFault?: (fault: SourceFault) => void
}

export interface SourceFault {
  url: string
  cid: CID
  why: string
  lied: boolean
}

export interface Fetcher {
  /**
   * One block, verified, from the first source that delivers.
   *
   * @throws PotluckError NOT_FOUND (no source has it or answers), BAD_BLOCK (a source lied and no other delivered);
   *   the message names each source with its reason. The signal's reason when aborted.
   */
  fetchBlock(cid: CID, options?: { signal?: AbortSignal }): Promise<Uint8Array>
  /** Ends idle connections; transfers under way end first. */
  close(): Promise<void>
}

/** Address of one block on a server of `createBlockHandler`; `base` with or without a closing slash. */
export function blockUrl(base: string, cid: CID): string {
  return `${base.replace(/\/+$/, '')}/blocks/${cid}`
}

// First wait for a host that failed; doubles with every further failure. A liar waits longest at once.
const FIRST_BACKOFF_MS = 250
const LONGEST_BACKOFF_MS = 30_000

/**
 * Reads blocks from other nodes, none of which is trusted.
 *
 * Sources are tried in the order given, those that failed lately last; a broken transfer goes on where it stopped; the
 * hash decides what is a block (P-27, P-28). Between two rounds it waits a little, so a source that is restarting gets
 * its chance.
 */
export function createFetcher(options: FetcherOptions): Fetcher {
  const timeoutMs = options.timeoutMs ?? 10_000
  const maxBlockBytes = options.maxBlockBytes ?? MAX_BLOCK_BYTES
  const rounds = options.rounds ?? 2
  const agent = new Agent({ connections: 8, connectTimeout: timeoutMs })
  const resting = new Map<string, { until: number; waitMs: number }>()

  function rest(origin: string, waitMs: number): void {
    resting.delete(origin)
    resting.set(origin, { until: performance.now() + waitMs, waitMs })
    // Sources come from announcements of strangers: forget the oldest rather than grow.
    const oldest = resting.keys().next().value
    if (resting.size > 1024 && oldest !== undefined) resting.delete(oldest)
  }

  async function trySource(cid: CID, url: URL, signal: AbortSignal | undefined): Promise<Uint8Array | SourceFault> {
    const limit = AbortSignal.timeout(timeoutMs)
    const both = signal === undefined ? limit : AbortSignal.any([limit, signal])
    const got = await download(url, { dispatcher: agent, maxBytes: maxBlockBytes, signal: both })
    signal?.throwIfAborted()
    const lied = got.ok ? !verifyBlock(cid, got.bytes) : got.lied
    if (got.ok && !lied) {
      resting.delete(url.origin)
      return got.bytes
    }
    const why = got.ok
      ? 'sent other bytes than the address says'
      : limit.aborted
        ? `took over ${timeoutMs} ms`
        : got.why
    const before = resting.get(url.origin)?.waitMs ?? FIRST_BACKOFF_MS / 2
    if (lied) rest(url.origin, LONGEST_BACKOFF_MS)
    // A plain "not here" is an honest answer and no reason to avoid the host.
    else if (got.ok || !got.absent) rest(url.origin, Math.min(LONGEST_BACKOFF_MS, 2 * before))
    return { url: url.href, cid, why, lied }
  }

  return {
    async fetchBlock(cid, { signal } = {}) {
      const faults = new Map<string, SourceFault>()
      for (let round = 0; round < rounds; round++) {
        signal?.throwIfAborted()
        if (round > 0)
          await sleep(FIRST_BACKOFF_MS * 2 ** (round - 1), undefined, signal === undefined ? {} : { signal })
        const now = performance.now()
        const isResting = (url: URL): number => ((resting.get(url.origin)?.until ?? 0) > now ? 1 : 0)
        for (const url of usable(await options.urls(cid)).toSorted((a, b) => isResting(a) - isResting(b))) {
          // Within one call a liar is not asked twice: its answer would be paid for again.
          if (faults.get(url.href)?.lied) continue
          const got = await trySource(cid, url, signal)
          if (got instanceof Uint8Array) return got
          faults.set(url.href, got)
          options.onFault?.(got)
        }
        if ([...faults.values()].every((fault) => fault.lied)) break
      }
      throw noSource(cid, [...faults.values()])
    },
    close: () => agent.close(),
  }
}

/** At most 16 of them, http and https only: the list may come from strangers. */
function usable(urls: readonly string[]): URL[] {
  const parsed = [...new Set(urls)].slice(0, 16).map((text) => URL.parse(text))
  return parsed.filter((url): url is URL => url !== null && /^https?:$/.test(url.protocol))
}

function noSource(cid: CID, faults: SourceFault[]): PotluckError {
  const lied = faults.some((fault) => fault.lied)
  const tried = faults.map((fault) => `${fault.url} ${fault.why}`).join('; ')
  const what = faults.length === 0 ? 'no source is known' : `tried ${tried}`
  return new PotluckError(
    lied ? 'BAD_BLOCK' : 'NOT_FOUND',
    `block ${cid} could not be fetched: ${what}. Try again later or name another source`,
    { cid: cid.toString(), sources: faults.length, tried },
    { remedy: 'retry' },
  )
}
