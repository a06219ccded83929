import {
  type AddMasks,
  addRing,
  consentTo,
  dealShares,
  decodeSumMessage,
  encodeRing,
  encodeSumMessage,
  type MaskRounds,
  maskUpdate,
  type RevealMessage,
  type RingBits,
  type RingWords,
  revealShares,
  ringWords,
  type SharesMessage,
  type SumMessage,
  type SumPlan,
  SumServer,
  type SumSetup,
  setUpSum,
  startSum,
} from '@potluck/learning'
import { PotluckError, sha256, toHex, utf8 } from '@potluck/protocol'
import { identitiesOf, nodeAgreement } from './secureNodeCrypto.ts'

export type SumCost = {
  readonly setup: SumSetup
  /** CPU of one member that stays to the end, all five rounds, from quantised words to bytes and back. */
  readonly clientMs: number
  readonly serverMs: number
  /** What a member sends, by the bytes of its plain words. */
  readonly sentRatio: number
  /** What it sends and receives, by the same. */
  readonly totalRatio: number
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The CPU a piece of work takes, added to `account`. */
function timed<T>(account: { ms: number }, work: () => T): T {
  const before = cpuMs()
  const result = work()
  account.ms += cpuMs() - before
  return result
}

/** Quantised words of one member: a cheap sequence that fills the range which leaves headroom for all members. */
function updateOf(plan: SumPlan, member: number, values: Float32Array): RingWords {
  let state = member + 1
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    values[i] = state / 4294967296 - 0.5
  }
  return encodeRing(values, { bits: plan.bits, fractionBits: plan.bits === 16 ? 9 : 20, members: plan.members.length })
}

/**
 * Runs one sum with every message as bytes, and checks the result against the plain ring sum to the bit.
 *
 * The last `gone` members fall silent when their masked words are due. CPU time of this process with all its threads, garbage collection
 * included.
 *
 * @throws PotluckError NOT_EXACT
 */
export function secureSumCost(options: {
  members: number
  gone: number
  colluders: number
  length: number
  bits: RingBits
  rounds: MaskRounds
  addMasks: AddMasks
}): SumCost {
  const ids = Array.from({ length: options.members }, (_, i) => `member-${String(i).padStart(4, '0')}`)
  const { signerOf, verify } = identitiesOf(ids)
  const crypto = { agreement: nodeAgreement, verify, addMasks: options.addMasks }
  const hash = (text: string) => toHex(sha256(utf8(text)))
  const setup = setUpSum({
    job: 'bench',
    round: 1,
    attempt: 1,
    base: hash('base'),
    members: ids,
    bits: options.bits,
    rounds: options.rounds,
    length: options.length,
    seed: hash('beacon'),
    colluders: options.colluders,
    dropouts: options.gone,
  })
  const client = { ms: 0 }
  const server = { ms: 0 }
  let sent = 0
  let received = 0
  const send = (message: SumMessage): Uint8Array => {
    const bytes = encodeSumMessage(message)
    sent += bytes.length
    return bytes
  }
  const receive = <M extends SumMessage>(all: readonly Uint8Array[]): M[] => {
    for (const bytes of all) received += bytes.length
    return all.map((bytes) => decodeSumMessage(bytes, setup) as M)
  }
  const take = <M extends SumMessage>(bytes: Uint8Array, into: (message: M) => void): void =>
    timed(server, () => into(decodeSumMessage(bytes, setup) as M))

  const collector = timed(server, () => new SumServer(setup, crypto))
  const members = ids.map((self) => ({
    self,
    secret: sha256(utf8(`secret of ${self}`)),
    approved: ids,
    sign: signerOf(self),
    ...crypto,
  }))
  // Members that go before they deliver are not counted, so that the figure is of one that does all the work.
  const staying = members.length - options.gone
  const started = members.map((member) => timed(client, () => startSum(setup, member, [])))
  const keys = started.map(({ message }) => timed(client, () => send(message)))
  for (const bytes of keys) take(bytes, (message: Parameters<SumServer['takeKeys']>[0]) => collector.takeKeys(message))
  client.ms *= staying / members.length
  sent *= staying / members.length

  const dealt = members.map((member, i) => {
    const account = i < staying ? client : { ms: 0 }
    return timed(account, () => dealShares(setup, member, started[i]!.state, receive(keys)))
  })
  const shares = dealt.map(({ message }, i) =>
    i < staying ? timed(client, () => send(message)) : encodeSumMessage(message),
  )
  for (const bytes of shares) take(bytes, (message: SharesMessage) => collector.takeShares(message))

  const expected = ringWords(options.bits, options.length)
  const values = new Float32Array(options.length)
  const masked = members.slice(0, staying).map((member, i) => {
    const words = updateOf(setup.plan, i, values)
    addRing(expected, words)
    const parcels = setup.neighbours[i]!.map((at) => shares[at]!)
    const { state, bytes } = timed(client, () => {
      const step = maskUpdate(setup, member, dealt[i]!.state, receive(parcels), words, started[i]!.ledger)
      return { state: step.state, bytes: send(step.message) }
    })
    take(bytes, (message: Parameters<SumServer['takeMasked']>[0]) => collector.takeMasked(message))
    return state
  })
  const survivors = timed(server, () => collector.closeList())
  const consents = masked.map((state, i) =>
    timed(client, () => {
      const step = consentTo(setup, members[i]!, state, survivors)
      return { state: step.state, bytes: send(step.message) }
    }),
  )
  for (const { bytes } of consents) {
    take(bytes, (message: Parameters<SumServer['takeConsent']>[0]) => collector.takeConsent(message))
  }
  const quorum = consents.slice(0, setup.graph.quorum).map(({ bytes }) => bytes)
  const reveals = consents.map(({ state }, i) =>
    timed(client, () => send(revealShares(setup, members[i]!, state, receive(quorum)))),
  )
  for (const bytes of reveals) take(bytes, (message: RevealMessage) => collector.takeReveal(message))
  const sum = timed(server, () => collector.finish())
  if (!sum.every((word, i) => word === expected[i])) {
    throw new PotluckError('NOT_EXACT', 'the secure sum differs from the plain ring sum')
  }
  const plain = (staying * options.length * options.bits) / 8
  return {
    setup,
    clientMs: client.ms / staying,
    serverMs: server.ms,
    sentRatio: sent / plain,
    totalRatio: (sent + received) / plain,
  }
}
