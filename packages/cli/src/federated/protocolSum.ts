import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import {
  consentTo,
  dealShares,
  defaultMaskRounds,
  defaultTolerance,
  encodeSumMessage,
  federatedSeed,
  type KeyAgreement,
  loadAddMasks,
  type Masks,
  maskUpdate,
  memberNumber,
  revealShares,
  type ServerCrypto,
  type SumMember,
  type SumMessage,
  SumServer,
  setUpSum,
  startSum,
} from '@potluck/learning'
import { addressOfSecret, type Hex, recoverSigner, signDigest, toHex } from '@potluck/protocol'

/**
 * The sum of a group as a network makes it: keys, sealed shares, masked words, consent to one list, shares of the seeds. Nobody drops out,
 * since all of it happens in one process; every message is written, checked and counted.
 *
 * @param seed of the run: the members' keys follow from it, which is good for a run on one machine alone
 */
export async function protocolSum(seed: Uint8Array): Promise<NonNullable<Masks['sum']>> {
  const crypto: ServerCrypto = {
    agreement: nodeAgreement,
    verify: onceEach(seed),
    addMasks: await loadAddMasks(),
  }
  return (round, words) => {
    const ids = [...words.keys()]
    const first = words.get(ids[0]!)!
    const setup = setUpSum({
      job: 'potluck train',
      round,
      attempt: 1,
      base: toHex(federatedSeed(seed, round, 'base')),
      members: ids,
      bits: 32,
      rounds: defaultMaskRounds,
      length: first.length,
      seed: toHex(federatedSeed(seed, round, 'circle')),
      ...defaultTolerance(ids.length),
    })
    let bytes = 0
    const counted = <M extends SumMessage>(message: M): M => {
      bytes += encodeSumMessage(message).length
      return message
    }
    const server = new SumServer(setup, crypto)
    const members = ids.map((id) => memberOf(id, ids, seed, crypto))
    const started = members.map((member) => startSum(setup, member, []))
    for (const { message } of started) server.takeKeys(counted(message))
    const roster = server.roster()
    const dealt = members.map((member, i) => dealShares(setup, member, started[i]!.state, roster))
    for (const { message } of dealt) server.takeShares(counted(message))
    // A member masks its words in place: the caller's stay as they are.
    const masked = members.map((member, i) => {
      const shares = server.sharesFor(memberNumber(setup, member.self))
      return maskUpdate(setup, member, dealt[i]!.state, shares, words.get(member.self)!.slice(), started[i]!.ledger)
    })
    for (const { message } of masked) server.takeMasked(counted(message))
    const survivors = server.closeList()
    const consents = members.map((member, i) => consentTo(setup, member, masked[i]!.state, survivors))
    for (const { message } of consents) server.takeConsent(counted(message))
    members.forEach((member, i) => {
      server.takeReveal(counted(revealShares(setup, member, consents[i]!.state, server.consents())))
    })
    return { words: server.finish(), bytes }
  }
}

const keyOf = (seed: Uint8Array, id: string): Uint8Array => federatedSeed(seed, 0, `key of ${id}`)

const memberOf = (self: string, approved: readonly string[], seed: Uint8Array, crypto: ServerCrypto): SumMember => ({
  self,
  approved,
  secret: federatedSeed(seed, 0, `secret of ${self}`),
  sign: (digest) => signDigest(digest, keyOf(seed, self)),
  ...crypto,
})

/** Verifies each signature once: every member sees the same messages, and here they are all in one process. */
function onceEach(seed: Uint8Array): ServerCrypto['verify'] {
  const known = new Map<string, Hex>()
  const addresses = new Map<string, Hex>()
  return (id, digest, signature) => {
    const address = addresses.get(id) ?? addressOfSecret(keyOf(seed, id))
    addresses.set(id, address)
    const message = `${toHex(digest)}${toHex(signature)}`
    const signer = known.get(message) ?? recoverSigner(digest, signature)
    known.set(message, signer)
    return signer === address
  }
}

const privateHead = Buffer.from('302e020100300506032b656e04220420', 'hex')
const publicHead = Buffer.from('302a300506032b656e032100', 'hex')
const privateOf = (key: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([privateHead, key]), format: 'der', type: 'pkcs8' })

/** X25519 by OpenSSL, some 15 times faster than the portable one; RFC 8410 says how its keys are written. */
const nodeAgreement: KeyAgreement = {
  publicKey: (secret) =>
    new Uint8Array(
      createPublicKey(privateOf(secret)).export({ format: 'der', type: 'spki' }).subarray(publicHead.length),
    ),
  agree(secret, other) {
    const publicKey = createPublicKey({ key: Buffer.concat([publicHead, other]), format: 'der', type: 'spki' })
    return new Uint8Array(diffieHellman({ privateKey: privateOf(secret), publicKey }))
  },
}
