import { isIP } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type GossipSub, gossipsub, type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { PotluckError } from '@potluck/protocol'
import { createLibp2p } from 'libp2p'
import { gossipSettings, OWN_MACHINE } from './gossipSettings.ts'
import { keepConnected } from './keepConnected.ts'
import { answerPeers } from './peerExchange.ts'
import { peerKey } from './peerIdentity.ts'

export interface NetOptions {
  /** 32 bytes: the node key, from which the key among peers is derived. */
  privateKey: Uint8Array
  /** Multiaddrs to listen on; default one free port on loopback. */
  listen?: readonly string[]
  /** Multiaddrs under which others reach this node, where those differ from what it listens on (NAT, containers). */
  announce?: readonly string[]
  /** Multiaddrs to start from; none for the first node. */
  bootstrap?: readonly string[]
  /** Nodes with different topics do not hear each other. Name chain and deployment in it. */
  topic: string
  /** Default 65,536. */
  maxMessageBytes?: number
  /** Below this many peers new ones are sought without pause; default 4. */
  minPeers?: number
  /** Outgoing connections are opened up to this many peers; default 6. Incoming ones come on top. */
  targetPeers?: number
  /** Default 100. */
  maxConnections?: number
  /** IP addresses on which any number of peers may run, or 'any'; default loopback. See `gossipSettings`. */
  sharedHosts?: 'any' | readonly string[]
  /** Stops the node when aborted. */
  signal?: AbortSignal
  /** Told of failures inside handlers and of peers that break the protocol; default: not told. */
  onError?: (error: unknown) => void
  /** 0 to 1, for jitter and for choosing among peers. */
  random?: () => number
}

/** `accept`: deliver and pass on. `ignore`: drop, nobody's fault. `reject`: drop and lower the sender's score. */
export type MessageVerdict = 'accept' | 'ignore' | 'reject'

/** `peerId` signed the message; it may have come through others. */
export type MessageHandler = (bytes: Uint8Array, from: { peerId: string }) => MessageVerdict | Promise<MessageVerdict>

export interface PeerSummary {
  peerId: string
  address: string
  direction: 'inbound' | 'outbound'
  /** Listens to our topic. */
  subscribed: boolean
  /** One of the few to whom messages are passed on at once. */
  inMesh: boolean
  /** Below 0 it has lately misbehaved. */
  score: number
}

export interface Net {
  readonly peerId: string
  /** Full multiaddrs for the bootstrap list of others. */
  addresses(): string[]
  peers(): PeerSummary[]
  /**
   * Signs and sends to all neighbours; returns how many. The node does not hear itself. 0: nobody listens yet, publish again later.
   *
   * @throws PotluckError MESSAGE_TOO_LARGE, NET_STOPPED, NOT_SENT
   */
  publish(bytes: Uint8Array): Promise<number>
  /**
   * Every message passes every handler, and the hardest verdict counts; only accepted ones are passed on. Without a
   * handler messages are ignored. Handlers must be quick (under 100 ms) and treat the bytes as hostile.
   */
  onMessage(handler: MessageHandler): () => void
  stop(): Promise<void>
}

// Messages being judged at one time; a flood beyond is dropped rather than queued.
const MAX_PENDING = 512
// A handler that never answers must not use up the places of MAX_PENDING for good.
const JUDGE_TIMEOUT_MS = 10_000
// A node in the middle of a training step answers nobody for seconds: patience, or healthy neighbours are cut off.
const PATIENCE_MS = 20_000

/**
 * Starts a node of the network: identity, discovery from bootstrap addresses, gossip on one topic.
 *
 * TCP, noise and yamux; every message is signed by its author. Gossip is lossy: a message sent while a node is away
 * never reaches it. Senders publish again what must be heard.
 *
 * @throws PotluckError BAD_KEY, BAD_ADDRESS, LISTEN_FAILED; the signal's reason when it is aborted already
 */
export async function createNet(options: NetOptions): Promise<Net> {
  options.signal?.throwIfAborted()
  const { topic } = options
  const maxMessageBytes = options.maxMessageBytes ?? 65_536
  const random = options.random ?? Math.random
  const onError = options.onError ?? (() => undefined)
  const node = await startNode(options)
  const pubsub = node.services.pubsub
  const handlers = new Set<MessageHandler>()
  let pending = 0
  let stopping: Promise<void> | undefined

  async function judge(message: Message): Promise<MessageVerdict> {
    if (message.type !== 'signed' || message.data.length > maxMessageBytes) return 'reject'
    const from = { peerId: message.from.toString() }
    const verdicts: MessageVerdict[] = []
    for (const handler of handlers) verdicts.push(await handler(message.data, from))
    if (verdicts.includes('reject')) return 'reject'
    return verdicts.length === 0 || verdicts.includes('ignore') ? 'ignore' : 'accept'
  }

  pubsub.topicValidators.set(topic, async (_, message) => {
    if (pending >= MAX_PENDING) return TopicValidatorResult.Ignore
    pending++
    try {
      return results[await withinLimit(judge(message))]
    } catch (error) {
      // Our own failure: the sender is not to blame.
      onError(error)
      return TopicValidatorResult.Ignore
    } finally {
      pending--
    }
  })
  pubsub.subscribe(topic)

  let disconnect: () => Promise<void>
  try {
    await answerPeers(node, random, onError)
    disconnect = keepConnected(node, {
      bootstrap: options.bootstrap ?? [],
      minPeers: options.minPeers ?? 4,
      targetPeers: options.targetPeers ?? 6,
      random,
    })
  } catch (error) {
    await node.stop()
    throw error
  }

  function stop(): Promise<void> {
    stopping ??= (async () => {
      options.signal?.removeEventListener('abort', onAbort)
      await disconnect()
      await node.stop()
    })()
    return stopping
  }
  const onAbort = (): void => void stop().catch(onError)
  options.signal?.addEventListener('abort', onAbort, { once: true })
  if (options.signal?.aborted) {
    await stop()
    options.signal.throwIfAborted()
  }

  return {
    peerId: node.peerId.toString(),
    addresses: () => node.getMultiaddrs().map(String),
    peers() {
      const subscribed = new Set(pubsub.getSubscribers(topic).map(String))
      const mesh = new Set(insight(pubsub)?.getMeshPeers(topic))
      const found = new Map<string, PeerSummary>()
      for (const connection of node.getConnections()) {
        const peerId = connection.remotePeer.toString()
        const score = insight(pubsub)?.getScore(peerId) ?? 0
        const { direction } = connection
        const address = connection.remoteAddr.toString()
        found.set(peerId, {
          peerId,
          address,
          direction,
          subscribed: subscribed.has(peerId),
          inMesh: mesh.has(peerId),
          score,
        })
      }
      return [...found.values()]
    },
    async publish(bytes) {
      checkSendable(bytes, maxMessageBytes, stopping !== undefined)
      try {
        return (await pubsub.publish(topic, bytes)).recipients.length
      } catch (cause) {
        const message = 'the message could not be handed to any neighbour: publish it again'
        throw new PotluckError('NOT_SENT', message, { sizeBytes: bytes.length }, { cause, remedy: 'retry' })
      }
    },
    onMessage(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    stop,
  }
}

const results = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const satisfies Record<MessageVerdict, TopicValidatorResult>

async function withinLimit(verdict: Promise<MessageVerdict>): Promise<MessageVerdict> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, fail) => {
    const message = `a message handler took over ${JUDGE_TIMEOUT_MS} ms: hand the work on and answer at once`
    timer = setTimeout(
      fail,
      JUDGE_TIMEOUT_MS,
      new PotluckError('HANDLER_TIMEOUT', message, { timeoutMs: JUDGE_TIMEOUT_MS }),
    )
  })
  try {
    return await Promise.race([verdict, late])
  } finally {
    clearTimeout(timer)
  }
}

async function startNode(options: NetOptions) {
  const sharedHosts = options.sharedHosts ?? OWN_MACHINE
  const wrong = sharedHosts === 'any' ? undefined : sharedHosts.find((host) => isIP(host) === 0)
  if (wrong !== undefined) {
    const message = `sharedHosts names ${JSON.stringify(wrong)}, which is no IP address: write single addresses or 'any'`
    throw new PotluckError('BAD_ADDRESS', message, { seen: wrong }, { remedy: 'fix-setup' })
  }
  const listen = [...(options.listen ?? ['/ip4/127.0.0.1/tcp/0'])]
  const privateKey = await peerKey(options.privateKey)
  try {
    return await createLibp2p({
      privateKey,
      addresses: { listen, announce: [...(options.announce ?? [])] },
      transports: [tcp({ inboundSocketInactivityTimeout: 120_000 })],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify(), ping: ping(), pubsub: gossipsub(gossipSettings(options.topic, sharedHosts)) },
      connectionManager: {
        maxConnections: options.maxConnections ?? 100,
        // Strangers on one address: 10 connections a second, 64 handshakes at a time. A whole network starting at once on
        // one machine needs more, which is what the allow-list is for.
        inboundConnectionThreshold: sharedHosts === 'any' ? 1000 : 10,
        maxIncomingPendingConnections: 64,
        allow: sharedHosts === 'any' ? [] : sharedHosts.map((host) => `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}`),
        dialTimeout: PATIENCE_MS,
        addressDialTimeout: PATIENCE_MS,
        inboundUpgradeTimeout: PATIENCE_MS,
        inboundStreamProtocolNegotiationTimeout: PATIENCE_MS,
        outboundStreamProtocolNegotiationTimeout: PATIENCE_MS,
      },
      connectionMonitor: {
        pingInterval: 15_000,
        pingTimeout: { minTimeout: PATIENCE_MS, maxTimeout: 3 * PATIENCE_MS },
      },
    })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const message = `cannot listen on ${listen.join(', ')} (${why}): free the port or choose another address`
    throw new PotluckError('LISTEN_FAILED', message, { listen: listen.join(', ') }, { cause, remedy: 'fix-setup' })
  }
}

function checkSendable(bytes: Uint8Array, maxBytes: number, stopped: boolean): void {
  if (stopped)
    throw new PotluckError('NET_STOPPED', 'this node has been stopped: create another', {}, { remedy: 'give-up' })
  if (bytes.length <= maxBytes) return
  const message = `a message holds at most ${maxBytes} bytes, this one has ${bytes.length}: store it as a block and send its CID`
  throw new PotluckError('MESSAGE_TOO_LARGE', message, { sizeBytes: bytes.length, maxBytes })
}

interface Insight {
  getScore(peerId: string): number
  getMeshPeers(topic: string): string[]
}

/** The public interface of the library hides both; the running object has them. */
function insight(pubsub: GossipSub): Insight | undefined {
  const has = (object: object): object is Insight => 'getScore' in object && 'getMeshPeers' in object
  return has(pubsub) ? pubsub : undefined
}
