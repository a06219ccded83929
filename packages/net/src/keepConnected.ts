import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { PotluckError } from '@potluck/protocol'
import type { Libp2p } from 'libp2p'
import { askPeers, shuffle } from './peerExchange.ts'

export interface KeepConnectedOptions {
  /** Where to start: full addresses, with or without `/p2p/<peer id>`. */
  bootstrap: readonly string[]
  /** Below this number of peers, new ones are looked for without pause. */
  minPeers: number
  /** From this number on, none are looked for. */
  targetPeers: number
  random: () => number
}

interface Bootstrap {
  address: Multiaddr
  /** Known from the address, or learnt from whoever answered there last. */
  peerId: string | undefined
  failures: number
  /** On the monotonic clock, in milliseconds. */
  nextTry: number
}

const TICK_MS = 500
const FIRST_WAIT_MS = 500
// A node without enough peers is useless and asks often; one that has them can wait for a bootstrap node to come back.
const LONGEST_WAIT_ALONE_MS = 4000
const LONGEST_WAIT_MS = 15_000
const ASK_AGAIN_MS = 15_000
const FORGET_FAILED_DIAL_MS = 30_000
const DIAL_TIMEOUT_MS = 20_000

/**
 * Keeps a node connected until the returned function is called (P-31, P-32).
 *
 * Every bootstrap address without a connection is dialled again for ever, with growing pauses, so that one that was
 * restarted is found by everybody; and while there are fewer than `targetPeers` peers, a random one is asked for others.
 * Throws BAD_ADDRESS at once for a bootstrap address that cannot be read.
 */
export function keepConnected(node: Libp2p, options: KeepConnectedOptions): () => Promise<void> {
  const bootstraps = options.bootstrap.map(readBootstrap).filter((entry) => entry.peerId !== node.peerId.toString())
  const failedDials = new Map<string, number>()
  const stop = new AbortController()
  let nextAsk = 0
  let running: Promise<void> | undefined

  async function reach(entry: Bootstrap): Promise<void> {
    try {
      const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      const connection = await node.dial(entry.address, { signal })
      entry.peerId = connection.remotePeer.toString()
      entry.failures = 0
    } catch (cause) {
      if (stop.signal.aborted) return
      node.logger.forComponent('potluck:net')('bootstrap %s not reached: %e', entry.address, cause)
      const longest = node.getPeers().length < options.minPeers ? LONGEST_WAIT_ALONE_MS : LONGEST_WAIT_MS
      const waitMs = Math.min(longest, FIRST_WAIT_MS * 2 ** Math.min(entry.failures, 10))
      entry.failures++
      // Half of it random: a hundred nodes that lost the same bootstrap node must not return in one instant.
      entry.nextTry = performance.now() + waitMs * (0.5 + options.random() / 2)
    }
  }

  async function findMore(connected: ReturnType<Libp2p['getPeers']>): Promise<void> {
    const [asked] = shuffle(connected, options.random)
    if (asked === undefined) return
    let gained = 0
    try {
      const answer = await askPeers(node, asked, stop.signal)
      const have = new Set([node.peerId.toString(), ...connected.map(String)])
      const fresh = [...answer].filter(([peerId]) => !have.has(peerId) && !failedDials.has(peerId))
      const wanted = shuffle(fresh, options.random).slice(0, options.targetPeers - connected.length)
      const dialled = await Promise.all(wanted.map(([peerId, addresses]) => tryDial(peerId, addresses)))
      gained = dialled.filter(Boolean).length
    } catch (cause) {
      if (!stop.signal.aborted) node.logger.forComponent('potluck:net')('%p named no peers: %e', asked, cause)
    }
    // Alone, ask every tick; with some peers but no new names, the network is simply small.
    const poor = node.getPeers().length < options.minPeers
    nextAsk = performance.now() + (gained > 0 || poor ? 2 * TICK_MS : ASK_AGAIN_MS * (0.5 + options.random()))
  }

  async function tryDial(peerId: string, addresses: Multiaddr[]): Promise<boolean> {
    try {
      await node.dial(addresses, { signal: AbortSignal.any([stop.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]) })
      return true
    } catch {
      failedDials.set(peerId, performance.now() + FORGET_FAILED_DIAL_MS)
      return false
    }
  }

  async function tick(): Promise<void> {
    const now = performance.now()
    for (const [peerId, until] of failedDials) if (until < now || failedDials.size > 1000) failedDials.delete(peerId)
    const connected = node.getPeers()
    const names = new Set(connected.map(String))
    const lost = bootstraps.filter((entry) => entry.nextTry <= now && !(entry.peerId && names.has(entry.peerId)))
    const search = connected.length > 0 && connected.length < options.targetPeers && now >= nextAsk
    await Promise.all([...lost.map(reach), search ? findMore(connected) : undefined])
  }

  function run(): void {
    running ??= tick().finally(() => {
      running = undefined
    })
  }

  const timer = setInterval(run, TICK_MS)
  run()
  return async () => {
    clearInterval(timer)
    stop.abort(new Error('the node is stopping'))
    await running
  }
}

function readBootstrap(text: string): Bootstrap {
  try {
    return { address: multiaddr(text), peerId: /\/p2p\/([A-Za-z0-9]+)$/.exec(text)?.[1], failures: 0, nextTry: 0 }
  } catch (cause) {
    const message = `bootstrap address ${JSON.stringify(text.slice(0, 200))} cannot be read: write it like /ip4/203.0.113.5/tcp/4001`
    throw new PotluckError('BAD_ADDRESS', message, { seen: text.slice(0, 200) }, { cause, remedy: 'fix-setup' })
  }
}
