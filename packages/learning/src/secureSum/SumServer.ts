import { equalBytes, PotluckError, sha256 } from '@potluck/protocol'
import type { AddMasks, Mask } from './addMasks.ts'
import { addRing, type RingWords, ringWords } from './ring.ts'
import { combineShares, type Share } from './shamir.ts'
import { agreedSecret, type KeyAgreement, ownMaskKey, pairMaskKey, type VerifySignature } from './sumCrypto.ts'
import { checkSum, checkSurvivors, onePerMember, type SurvivorList } from './sumLists.ts'
import { expectSignature } from './sumMember.ts'
import {
  type ConsentMessage,
  type KeysMessage,
  type MaskedMessage,
  type RevealMessage,
  type SharesMessage,
  sumMessageDigest,
} from './sumMessages.ts'
import type { SumSetup } from './sumPlan.ts'

export type ServerCrypto = {
  readonly agreement: KeyAgreement
  readonly verify: VerifySignature
  readonly addMasks: AddMasks
}

/**
 * The server's side of a secure sum: collects one message of each member and round, says which members deliver what they should not,
 * and takes the masks off the total. It holds no secret; members do not trust it with anything but getting on.
 *
 * Every `take…` throws WRONG_SUM, DUPLICATE (the same message again: harmless), EQUIVOCATION (two signed messages for one round) or
 * BAD_SIGNATURE, and keeps nothing of what it refused.
 *
 * Memory: one vector, whatever the number of members.
 */
export class SumServer {
  readonly #setup: SumSetup
  readonly #crypto: ServerCrypto
  readonly #keys = new Map<number, KeysMessage>()
  readonly #shares = new Map<number, SharesMessage>()
  readonly #consents = new Map<number, ConsentMessage>()
  readonly #reveals = new Map<number, RevealMessage>()
  readonly #delivered = new Set<number>()
  readonly #total: RingWords
  #list: SurvivorList | null = null
  #isTaken = false

  constructor(setup: SumSetup, crypto: ServerCrypto) {
    this.#setup = setup
    this.#crypto = crypto
    this.#total = ringWords(setup.plan.bits, setup.plan.length)
  }

  takeKeys(message: KeysMessage): void {
    this.#takeSigned(this.#keys, message)
  }

  takeShares(message: SharesMessage): void {
    this.#takeSigned(this.#shares, message)
  }

  /** Everyone's keys, for everyone. Throws MEMBER_MISSING. */
  roster(): readonly KeysMessage[] {
    return onePerMember(this.#setup, [...this.#keys.values()])
  }

  /** What a member's neighbours dealt. Throws MEMBER_MISSING when anyone at all dealt nothing. */
  sharesFor(member: number): readonly SharesMessage[] {
    const all = onePerMember(this.#setup, [...this.#shares.values()])
    return this.#setup.neighbours[member]!.map((at) => all[at]!)
  }

  /** Adds a masked vector to the total. Throws LIST_CLOSED once the survivors are fixed: its sender counts as gone. */
  takeMasked(message: MaskedMessage): void {
    checkSum(this.#setup, message)
    const member = this.#name(message.from)
    if (this.#list) {
      throw new PotluckError(
        'LIST_CLOSED',
        `${member} delivered after the list of survivors was fixed: it counts as gone in this sum`,
        { member },
      )
    }
    if (this.#delivered.has(message.from)) {
      throw new PotluckError('DUPLICATE', `${member} delivered twice: the first vector counts`, { member })
    }
    addRing(this.#total, message.words)
    this.#delivered.add(message.from)
  }

  /** Fixes who delivered; the list goes to all of them. Throws TOO_MANY_GONE (remedy: a new attempt). */
  closeList(): readonly number[] {
    this.#list ??= checkSurvivors(
      this.#setup,
      [...this.#delivered].sort((a, b) => a - b),
    )
    return this.#list.survivors
  }

  takeConsent(message: ConsentMessage): void {
    const list = this.#closedList()
    if (!list.survivors.includes(message.from) || !equalBytes(message.list, list.hash)) {
      throw new PotluckError(
        'OTHER_LIST',
        `${this.#name(message.from)} signed a list of survivors that is not this server's`,
      )
    }
    this.#takeSigned(this.#consents, message)
  }

  consents(): readonly ConsentMessage[] {
    return [...this.#consents.values()]
  }

  takeReveal(message: RevealMessage): void {
    const list = this.#closedList()
    checkSum(this.#setup, message)
    const member = this.#name(message.from)
    if (this.#reveals.has(message.from))
      throw new PotluckError('DUPLICATE', `${member} revealed twice: the first counts`, { member })
    if (!list.survivors.includes(message.from) || !equalBytes(message.list, list.hash)) {
      throw new PotluckError(
        'OTHER_LIST',
        `${member} revealed shares for a list of survivors that is not this server's`,
      )
    }
    this.#setup.neighbours[message.from]!.forEach((at, i) => {
      // Each dealer signed the hash of every share: a wrong one has a name.
      const dealt = this.#shares.get(at)!.dealt[this.#setup.neighbours[at]!.indexOf(message.from)]!
      const hash = list.survivors.includes(at) ? dealt.seedHash : dealt.keyHash
      if (!equalBytes(sha256(message.shares[i] ?? new Uint8Array()), hash)) {
        throw new PotluckError('BAD_SHARE', `${member} revealed a share of ${this.#name(at)} that was never dealt`, {
          member,
        })
      }
    })
    this.#reveals.set(message.from, message)
  }

  /**
   * The sum of the survivors' words, to the bit. Once.
   *
   * @throws PotluckError BELOW_THRESHOLD while too few members revealed; BAD_DEALER when a member's shares do not give the secret it
   *   published (the attempt is lost: start another without it); SUM_TAKEN
   *
   * Cost: one mask for each survivor and for each pair of a gone member and a neighbour that survived.
   */
  finish(): RingWords {
    const { survivors } = this.#closedList()
    if (this.#isTaken) throw new PotluckError('SUM_TAKEN', 'this sum was already formed: keep what finish returned')
    const { agreement, addMasks } = this.#crypto
    const masks: Mask[] = []
    for (const at of this.#setup.members.keys()) {
      const secret = this.#secretOf(at)
      if (survivors.includes(at)) {
        if (!equalBytes(sha256(secret), this.#shares.get(at)!.seedHash)) throw this.#badDealer(at)
        masks.push({ key: ownMaskKey(secret, this.#setup), sign: -1 })
        continue
      }
      if (!equalBytes(agreement.publicKey(secret), this.#keys.get(at)!.maskKey)) throw this.#badDealer(at)
      for (const peer of this.#setup.neighbours[at]!.filter((other) => survivors.includes(other))) {
        const agreed = agreedSecret(agreement, secret, this.#keys.get(peer)!.maskKey, this.#name(peer))
        // The peer added this mask when it is the lower of the two.
        masks.push({ key: pairMaskKey(agreed, this.#setup, at, peer), sign: peer < at ? -1 : 1 })
      }
    }
    addMasks(this.#total, masks, this.#setup.plan.rounds)
    this.#isTaken = true
    return this.#total
  }

  #secretOf(at: number): Uint8Array {
    const { neighbours, graph } = this.#setup
    const shares: Share[] = []
    for (const [i, holder] of neighbours[at]!.entries()) {
      const message = this.#reveals.get(holder)
      if (message && shares.length < graph.threshold) {
        shares.push({ place: i + 1, bytes: message.shares[neighbours[holder]!.indexOf(at)]! })
      }
    }
    if (shares.length < graph.threshold) {
      throw new PotluckError(
        'BELOW_THRESHOLD',
        `${shares.length} of ${graph.degree} neighbours of ${this.#name(at)} revealed a share, ${graph.threshold} are needed: wait for more, or start a new attempt`,
        { member: this.#name(at), shares: shares.length, threshold: graph.threshold },
        { remedy: 'retry' },
      )
    }
    return combineShares(shares)
  }

  #takeSigned<M extends KeysMessage | SharesMessage | ConsentMessage>(into: Map<number, M>, message: M): void {
    checkSum(this.#setup, message)
    expectSignature(this.#setup, this.#crypto.verify, message)
    const before = into.get(message.from)
    if (before) {
      const member = this.#name(message.from)
      const isSame = equalBytes(sumMessageDigest(before), sumMessageDigest(message))
      throw new PotluckError(
        isSame ? 'DUPLICATE' : 'EQUIVOCATION',
        isSame
          ? `${member} sent its ${message.kind} twice: once is enough`
          : `${member} signed two different ${message.kind} for one sum: the two together prove it`,
        { member },
      )
    }
    if (message.kind === 'shares' && message.dealt.length !== this.#setup.graph.degree)
      throw this.#badDealer(message.from)
    into.set(message.from, message)
  }

  #closedList(): SurvivorList {
    if (!this.#list) throw new PotluckError('LIST_OPEN', 'the list of survivors is not fixed: call closeList first')
    return this.#list
  }

  #badDealer(at: number): PotluckError {
    const member = this.#name(at)
    return new PotluckError(
      'BAD_DEALER',
      `the shares that ${member} dealt do not give the secret it published: start a new attempt without it`,
      { member },
      { remedy: 'retry' },
    )
  }

  #name(at: number): string {
    return this.#setup.members[at] ?? `number ${at}`
  }
}
