import type { Body, Hex } from '@potluck/protocol'

export type Peer = {
  node: Hex
  key: Hex
  url: string
  roles: number
  seenMs: number
  /** Model versions it runs, and where; null for one that runs none. */
  serves: Body<'hello'>['serves']
  /** Where it says it is. */
  region?: string | undefined
}

/** A node that has not said hello for this long is left out: three hellos missed. */
const FRESH_MS = 45_000
const MAX_PEERS = 10_000

/** Who said hello lately, and where their blocks are. */
export class Directory {
  #peers = new Map<Hex, Peer>()

  see(peer: Peer): void {
    if (this.#peers.size >= MAX_PEERS && !this.#peers.has(peer.node)) return
    this.#peers.set(peer.node, peer)
  }

  urlOf(node: Hex): string | undefined {
    return this.#peers.get(node)?.url
  }

  regionOf(node: Hex): string | undefined {
    return this.#peers.get(node)?.region
  }

  /** Fresh peers with all of `roles`, longest known first. */
  withRoles(roles: number, nowMs: number): Peer[] {
    return [...this.#peers.values()].filter((peer) => (peer.roles & roles) === roles && nowMs - peer.seenMs < FRESH_MS)
  }

  all(nowMs: number): Peer[] {
    return this.withRoles(0, nowMs)
  }
}
