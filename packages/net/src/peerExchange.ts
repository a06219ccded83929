import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'

type Stream = Awaited<ReturnType<Libp2p['dialProtocol']>>

const PROTOCOL = '/potluck/peers/1.0.0'
const MAX_PEERS = 16
const MAX_ADDRESSES_PER_PEER = 4
const MAX_ANSWER_BYTES = 16_384
const TIMEOUT_MS = 10_000

/**
 * Answers whoever asks "whom do you know?" with up to 16 peers that are connected to this node now (P-31).
 *
 * The answer is two bytes of length, then a JSON list of addresses, each ending in `/p2p/<peer id>`, so that a wrong one costs the asker a failed
 * dial and nothing else: the handshake proves who answers. Loopback addresses go to askers on loopback only.
 */
export async function answerPeers(
  node: Libp2p,
  random: () => number,
  onError: (error: unknown) => void,
): Promise<void> {
  const answer = async (asker: string, local: boolean): Promise<Uint8Array> => {
    const addresses: string[] = []
    const others = node.getPeers().filter((peer) => peer.toString() !== asker)
    for (const peer of shuffle(others, random).slice(0, MAX_PEERS)) {
      // A peer that left in this very moment is in no book any more.
      const known = (await node.peerStore.has(peer)) ? (await node.peerStore.get(peer)).addresses : []
      const texts = known.map((entry) => withPeer(entry.multiaddr.toString(), peer.toString()))
      addresses.push(...texts.filter((text) => local || !isLoopback(text)).slice(0, MAX_ADDRESSES_PER_PEER))
    }
    return frame(new TextEncoder().encode(JSON.stringify(addresses)))
  }
  await node.handle(
    PROTOCOL,
    async (stream, connection) => {
      try {
        const local = isLoopback(connection.remoteAddr.toString())
        // What is sent before the asker listens is lost, so wait for its byte.
        await firstBytes(stream, AbortSignal.timeout(TIMEOUT_MS))
        stream.send(await answer(connection.remotePeer.toString(), local))
        await stream.close({ signal: AbortSignal.timeout(TIMEOUT_MS) })
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error(String(error)))
        onError(error)
      }
    },
    { maxInboundStreams: 2, maxOutboundStreams: 2 },
  )
}

/** Addresses of peers that a connected peer knows, grouped by peer id; unusable ones are left out, never trusted. */
export async function askPeers(
  node: Libp2p,
  peer: ReturnType<Libp2p['getPeers']>[number],
  signal: AbortSignal,
): Promise<Map<string, Multiaddr[]>> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  const stream = await node.dialProtocol(peer, PROTOCOL, { signal: limit })
  const cut = (): void => stream.abort(new Error('the answer took too long'))
  limit.addEventListener('abort', cut, { once: true })
  try {
    // The protocol is negotiated with the first byte written, so something must be: the number of peers wanted at most.
    stream.send(new Uint8Array([MAX_PEERS]))
    const text = await readFrame(stream)
    await stream.close({ signal: limit })
    const local = node.getConnections(peer).some((connection) => isLoopback(connection.remoteAddr.toString()))
    return readAnswer(text, local)
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  } finally {
    limit.removeEventListener('abort', cut)
  }
}

/** Resolves with the first bytes of a stream; rejects when it ends or the signal is aborted before. */
async function firstBytes(stream: Stream, signal: AbortSignal): Promise<void> {
  const cut = (): void => stream.abort(new Error('nothing was asked'))
  signal.addEventListener('abort', cut, { once: true })
  try {
    for await (const _ of stream) return
    throw new Error('the stream ended before anything was asked')
  } finally {
    signal.removeEventListener('abort', cut)
  }
}

function frame(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(2 + bytes.length)
  new DataView(framed.buffer).setUint16(0, bytes.length)
  framed.set(bytes, 2)
  return framed
}

/** Stops at the stated length: the end of a stream is not always reported when it comes with the last bytes. */
async function readFrame(stream: AsyncIterable<{ subarray(): Uint8Array }>): Promise<string> {
  let have = Buffer.alloc(0)
  for await (const part of stream) {
    have = Buffer.concat([have, part.subarray()])
    if (have.length < 2) continue
    const sizeBytes = have.readUInt16BE()
    if (sizeBytes > MAX_ANSWER_BYTES) throw new Error(`the answer exceeds ${MAX_ANSWER_BYTES} bytes`)
    if (have.length >= 2 + sizeBytes) return have.subarray(2, 2 + sizeBytes).toString()
  }
  throw new Error('the answer broke off')
}

/** What a stranger's answer is worth: at most 16 peers, TCP addresses with a peer id; loopback only from loopback. */
export function readAnswer(text: string, local: boolean): Map<string, Multiaddr[]> {
  const list: unknown = JSON.parse(text)
  const found = new Map<string, Multiaddr[]>()
  for (const entry of Array.isArray(list) ? list.slice(0, MAX_PEERS * MAX_ADDRESSES_PER_PEER) : []) {
    const peerId =
      typeof entry === 'string' && entry.length <= 256 ? /\/tcp\/\d+\/p2p\/([A-Za-z0-9]+)$/.exec(entry)?.[1] : undefined
    if (peerId === undefined || (!local && isLoopback(entry))) continue
    const address = addressOrNothing(entry)
    if (address === undefined || (found.size >= MAX_PEERS && !found.has(peerId))) continue
    const addresses = found.get(peerId) ?? []
    if (addresses.length < MAX_ADDRESSES_PER_PEER) found.set(peerId, [...addresses, address])
  }
  return found
}

/** A new array in random order. */
export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const keyed = items.map((item) => ({ item, key: random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

function isLoopback(address: string): boolean {
  return address.startsWith('/ip4/127.') || address.startsWith('/ip6/::1/')
}

function withPeer(address: string, peerId: string): string {
  return address.includes('/p2p/') ? address : `${address}/p2p/${peerId}`
}

function addressOrNothing(text: string): Multiaddr | undefined {
  try {
    return multiaddr(text)
  } catch {
    return undefined
  }
}
