import { concatBytes, equalBytes, fromHex, type Hex, PotluckError, sha256, toHex } from '@potluck/protocol'
import type { Mask } from './addMasks.ts'
import { type RingWords, ringBitsOf } from './ring.ts'
import { openShare } from './sealShare.ts'
import { agreedSecret, ownMaskKey, pairMaskKey, sumSecrets } from './sumCrypto.ts'
import { enterUpdate, type SumLedger } from './sumLedger.ts'
import { checkSum } from './sumLists.ts'
import { expectStep, type MemberState, type Step, type SumMember } from './sumMember.ts'
import { type MaskedMessage, type SharesMessage, shareBytes } from './sumMessages.ts'
import { memberNumber, type SumSetup } from './sumPlan.ts'

/**
 * Round 2: `words` plus the member's own mask, plus one for each higher neighbour, minus one for each lower (L-41).
 *
 * `words` is masked in place: nothing of the plain update stays behind. Done once for a sum: keep the message to send it again, for a second call is refused.
 *
 * The seal shows that a share came from the neighbour whose signed key made it, so its signature, which is for the server and for
 * proof, is not looked at here.
 *
 * @param shares one message of each neighbour
 * @throws PotluckError WRONG_STEP, BAD_LENGTH, UPDATE_REUSED (L-45); MEMBER_MISSING, DUPLICATE, WRONG_SUM; SEAL_BROKEN for what was changed on
 *   the way; EQUIVOCATION when a neighbour was shown other keys (L-46); BAD_SHARE for a share that is not the one promised
 */
export function maskUpdate(
  setup: SumSetup,
  member: SumMember,
  state: MemberState,
  shares: readonly SharesMessage[],
  words: RingWords,
  ledger: SumLedger,
): Step<MaskedMessage> & { readonly ledger: SumLedger } {
  expectStep(setup, state, 'dealt')
  const { plan } = setup
  if (words.length !== plan.length || ringBitsOf(words) !== plan.bits) {
    throw new PotluckError(
      'BAD_LENGTH',
      `this sum adds up ${plan.length} words of ${plan.bits} bits, got ${words.length} of ${ringBitsOf(words)}`,
      {
        words: words.length,
        length: plan.length,
      },
    )
  }
  const from = memberNumber(setup, member.self)
  const secrets = sumSecrets(member.secret, setup)
  const masks: Mask[] = [{ key: ownMaskKey(secrets.seed, setup), sign: 1 }]
  const held: Hex[] = []
  sharesOfNeighbours(setup, from, shares).forEach((message, i) => {
    const peer = setup.members[message.from]!
    const keys = state.keys[i]!
    const { keyHash, seedHash, sealed } = message.dealt[setup.neighbours[message.from]!.indexOf(from)]!
    const route = { sum: setup.id, from: message.from, to: from }
    const share = openShare(fromHex(keys.sealSecret), route, sealed, concatBytes(message.roster, keyHash, seedHash))
    if (toHex(message.roster) !== state.roster) {
      throw new PotluckError(
        'EQUIVOCATION',
        `${peer} was shown other keys than ${member.self}: somebody sent two sets of keys for one sum; start a new attempt and compare the signed keys`,
        { peer },
        { remedy: 'retry' },
      )
    }
    const isPromised =
      share.length === shareBytes &&
      equalBytes(sha256(share.subarray(0, 32)), keyHash) &&
      equalBytes(sha256(share.subarray(32)), seedHash)
    if (!isPromised) {
      throw new PotluckError(
        'BAD_SHARE',
        `${peer} dealt a share that is not the one it promised: leave it out of the next attempt`,
        { peer },
      )
    }
    held.push(toHex(share))
    const pair = agreedSecret(member.agreement, secrets.maskKey, fromHex(keys.maskKey), peer)
    masks.push({ key: pairMaskKey(pair, setup, from, message.from), sign: from < message.from ? 1 : -1 })
  })
  const entered = enterUpdate(ledger, setup, words)
  member.addMasks(words, masks, plan.rounds)
  const message: MaskedMessage = { kind: 'masked', sum: setup.sum, from, words }
  return { state: { ...state, step: 'masked', held }, ledger: entered, message }
}

function sharesOfNeighbours(setup: SumSetup, from: number, shares: readonly SharesMessage[]): SharesMessage[] {
  const byMember = new Map<number, SharesMessage>()
  for (const message of shares) {
    checkSum(setup, message)
    if (byMember.has(message.from)) {
      throw new PotluckError('DUPLICATE', `two messages with shares of ${setup.members[message.from]}: keep the first`)
    }
    if (message.dealt.length !== setup.graph.degree) {
      throw new PotluckError(
        'BAD_SUM_MESSAGE',
        `${setup.members[message.from]} dealt ${message.dealt.length} shares, its neighbours are ${setup.graph.degree}`,
      )
    }
    byMember.set(message.from, message)
  }
  return setup.neighbours[from]!.map((at) => {
    const message = byMember.get(at)
    if (!message) {
      throw new PotluckError(
        'MEMBER_MISSING',
        `neighbour ${setup.members[at]} dealt no shares: nothing was given away; start a new attempt without it`,
        { member: setup.members[at]! },
        { remedy: 'retry' },
      )
    }
    return message
  })
}
