import { createHash } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { PotluckError } from '@potluck/protocol'

/**
 * The key of a node among its peers, derived from its node key: Ed25519, since every message on every link is checked under it, and Node
 * checks these natively (a tenth of a millisecond against one for secp256k1). What ties a message to the chain is the signature inside it.
 *
 * @throws PotluckError BAD_KEY, without showing the key, for anything but 32 bytes
 */
export async function peerKey(privateKey: Uint8Array): Promise<Ed25519PrivateKey> {
  if (privateKey.length !== 32) {
    throw new PotluckError(
      'BAD_KEY',
      `a node key has 32 bytes; these ${privateKey.length} bytes are none: check the key file`,
      { length: privateKey.length },
      { remedy: 'fix-setup' },
    )
  }
  const seed = createHash('sha256').update('potluck peer').update(privateKey).digest()
  return generateKeyPairFromSeed('Ed25519', new Uint8Array(seed))
}

/** The name under which a node with this 32-byte key is known to its peers. */
export async function peerIdOf(privateKey: Uint8Array): Promise<string> {
  return peerIdFromPrivateKey(await peerKey(privateKey)).toString()
}
