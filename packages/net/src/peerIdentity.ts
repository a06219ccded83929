import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { PotluckError } from '@potluck/protocol'

/** The secp256k1 key of a node as libp2p takes it. Throws BAD_KEY, without showing the key, for anything else. */
export function nodeKey(privateKey: Uint8Array) {
  try {
    const key = privateKeyFromRaw(privateKey)
    if (key.type === 'secp256k1') return key
  } catch (cause) {
    throw badKey(privateKey.length, cause)
  }
  throw badKey(privateKey.length)
}

/** The name under which a node with this 32-byte secp256k1 key is known to its peers. */
export function peerIdOf(privateKey: Uint8Array): string {
  return peerIdFromPrivateKey(nodeKey(privateKey)).toString()
}

/**
 * The compressed secp256k1 public key (33 bytes) inside a peer's name: what ties a peer to its node key on chain.
 *
 * @throws PotluckError BAD_PEER_ID when the text is no peer id or its key is of another kind
 */
export function publicKeyOf(peerId: string): Uint8Array {
  let raw: Uint8Array | undefined
  let cause: unknown
  try {
    const id = peerIdFromString(peerId)
    if (id.type === 'secp256k1') raw = id.publicKey.raw
  } catch (error) {
    cause = error
  }
  if (raw !== undefined) return raw
  const seen = peerId.slice(0, 80)
  throw new PotluckError(
    'BAD_PEER_ID',
    `${JSON.stringify(seen)} names no peer with a secp256k1 key`,
    { seen },
    { cause },
  )
}

function badKey(length: number, cause?: unknown): PotluckError {
  return new PotluckError(
    'BAD_KEY',
    `a node key is a secp256k1 private key of 32 bytes; these ${length} bytes are none: check the key file`,
    { length },
    { cause, remedy: 'fix-setup' },
  )
}
