import type { Chain } from '@potluck/chain'
import type { Hex } from '@potluck/protocol'
import type { BlockStore } from '@potluck/store'

/** Time, passed in: real in the daemon, simulated in tests. */
export type Clock = {
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** What must survive a crash: small values by key. `set` returns after the value is durable. */
export type Disk = {
  get(key: string): string | undefined
  set(key: string, value: string): void
  delete(key: string): void
  keys(prefix: string): string[]
}

export type LogLevel = 'debug' | 'info' | 'warn'
export type Log = (level: LogLevel, event: string, facts?: Record<string, unknown>) => void

/** Everything a role touches outside itself. A role that needs more is doing something that cannot be simulated. */
export type Ports = {
  clock: Clock
  random(bytes: number): Uint8Array
  /** Sends one sealed message to everybody; best effort. */
  publish(bytes: Uint8Array): Promise<void>
  chain: Chain
  store: BlockStore
  /** A raw or dag-cbor block by digest, from our store or from one of the urls, verified; kept in our store. */
  fetch(digest: Hex, codec: number, urls: readonly string[], signal?: AbortSignal): Promise<Uint8Array>
  /** A whole file by CID, the same way. */
  fetchFile(cid: string, urls: readonly string[], signal?: AbortSignal): Promise<Uint8Array>
  disk: Disk
  log: Log
  signal: AbortSignal
}

/** Who this node is. */
export type Identity = {
  /** Cold address: owner of the bond, receiver of pay. */
  node: Hex
  /** Node key: 32 secret bytes, and its address. */
  secret: Uint8Array
  key: Hex
  /** Where others fetch our blocks. */
  url: string
  /** Bits of the registry's roles. */
  roles: number
  /** Country it is in, for data that may not be worked on everywhere; nobody checks it. */
  region?: string | undefined
}
