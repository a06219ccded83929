/**
 * A member's side of a secure sum with dropouts. The caller moves messages; everything else is decided here.
 *
 *   setup = setUpSum(plan)                                       who, what, and whose neighbour one is
 *   { state, ledger, message } = startSum(…)      0  publish keys; collect everyone's
 *   { state, message } = dealShares(…)            1  publish shares; collect those of all neighbours
 *   { state, ledger, message } = maskUpdate(…)    2  send the masked words; wait for the server's list of who delivered
 *   { state, message } = consentTo(…)             3  publish that one accepts this list; collect a quorum for the same one
 *   message = revealShares(…)                           4  send one share for each neighbour
 *
 * Each step takes the state that the last one gave, and saves what it returns before it sends. States and ledger are plain JSON.
 * Until step 2 everyone must be there; whoever is missing costs a new attempt and no secret. From then on the plan's number may go.
 *
 * Source: Bonawitz et al., CCS 2017 (masks, shares, consistency round); Bell et al., CCS 2020 (neighbours). What differs: shares lie on a
 * circle of neighbours, the consistency round is over all members at once, and nobody may leave before step 2.
 */
import { type Hex, PotluckError } from '@potluck/protocol'
import type { AddMasks } from './addMasks.ts'
import { type KeyAgreement, sumSecrets, type VerifySignature } from './sumCrypto.ts'
import { enterSum, type SumLedger } from './sumLedger.ts'
import { type ConsentMessage, type KeysMessage, type SharesMessage, sumMessageDigest } from './sumMessages.ts'
import { memberNumber, type SumSetup } from './sumPlan.ts'

/** What a member brings: who it is, what it keeps, whom it would sum with, and its platform's cryptography. */
export type SumMember = {
  readonly self: string
  /** At least 32 random bytes, kept for good. */
  readonly secret: Uint8Array
  /** The ids whose sums its owner allows it to join. */
  readonly approved: readonly string[]
  readonly agreement: KeyAgreement
  readonly sign: (digest: Uint8Array) => Uint8Array
  readonly verify: VerifySignature
  readonly addMasks: AddMasks
}

export type MemberState = {
  readonly sum: Hex
  readonly step: 'started' | 'dealt' | 'masked' | 'consented'
  /** From 'dealt': the hash of all keys, and for each neighbour its mask key and the secret both seal with. Secret. */
  readonly roster: Hex | null
  readonly keys: readonly { readonly maskKey: Hex; readonly sealSecret: Hex }[]
  /** From 'masked': what each neighbour dealt to this member, two shares of 32 bytes. Secret. */
  readonly held: readonly Hex[]
  /** From 'consented': the one list this member will ever reveal shares for. */
  readonly survivors: readonly number[] | null
}

/** What a step returns: the state to save, then the message to send. */
export type Step<M> = { readonly state: MemberState; readonly message: M }

/**
 * Round 0. The message goes to everyone.
 *
 * @throws PotluckError NOT_A_MEMBER; NOT_APPROVED (L-44); SUM_ALREADY_BEGUN (L-45); WEAK_SECRET
 */
export function startSum(
  setup: SumSetup,
  member: SumMember,
  ledger: SumLedger,
): Step<KeysMessage> & { readonly ledger: SumLedger } {
  const from = memberNumber(setup, member.self)
  const strangers = setup.members.filter((id) => id !== member.self && !member.approved.includes(id))
  if (strangers.length > 0) {
    throw new PotluckError(
      'NOT_APPROVED',
      `the owner of ${member.self} did not approve ${strangers.slice(0, 5).join(', ')}: approve them, or ask for a group without them`,
      { member: member.self, strangers: strangers.length },
    )
  }
  const entered = enterSum(ledger, setup)
  const state: MemberState = { sum: setup.sum, step: 'started', roster: null, keys: [], held: [], survivors: null }
  return { state, ledger: entered, message: keysMessage(setup, member, from) }
}

function keysMessage(setup: SumSetup, { agreement, sign, secret }: SumMember, from: number): KeysMessage {
  const secrets = sumSecrets(secret, setup)
  const maskKey = agreement.publicKey(secrets.maskKey)
  const sealKey = agreement.publicKey(secrets.sealKey)
  return signMessage({ kind: 'keys', sum: setup.sum, from, maskKey, sealKey, signature: new Uint8Array() }, sign)
}

/** The message with its sender's signature. */
export function signMessage<M extends KeysMessage | SharesMessage | ConsentMessage>(
  message: M,
  sign: SumMember['sign'],
): M {
  return { ...message, signature: sign(sumMessageDigest(message)) }
}

/** Throws BAD_SIGNATURE unless the member a message names signed it. */
export function expectSignature(
  setup: SumSetup,
  verify: VerifySignature,
  message: KeysMessage | SharesMessage | ConsentMessage,
): void {
  const sender = setup.members[message.from]!
  if (!verify(sender, sumMessageDigest(message), message.signature)) {
    throw new PotluckError(
      'BAD_SIGNATURE',
      `${sender} did not sign the ${message.kind} that came in its name: ask it directly`,
      { sender },
    )
  }
}

/** Throws WRONG_SUM for a state of another sum, WRONG_STEP for one that stands elsewhere. */
export function expectStep(setup: SumSetup, state: MemberState, ...steps: readonly MemberState['step'][]): void {
  if (state.sum !== setup.sum) {
    throw new PotluckError('WRONG_SUM', 'the saved state belongs to another sum: take the one saved for this plan')
  }
  if (!steps.includes(state.step)) {
    throw new PotluckError(
      'WRONG_STEP',
      `this needs a state that ${steps.join(' or ')}, got one that ${state.step}: every step is taken once, in order`,
      {
        step: state.step,
      },
    )
  }
}
