import { equalBytes, fromHex, PotluckError } from '@potluck/protocol'
import { checkSum, checkSurvivors } from './sumLists.ts'
import { expectSignature, expectStep, type MemberState, type Step, type SumMember, signMessage } from './sumMember.ts'
import type { ConsentMessage, RevealMessage } from './sumMessages.ts'
import { memberNumber, type SumSetup } from './sumPlan.ts'

/**
 * Round 3: accepts the server's list of survivors. A member accepts one list in its life (L-47); the same list again gives the same message.
 *
 * @throws PotluckError WRONG_STEP; BAD_LIST, TOO_MANY_GONE; LEFT_OUT when the list lacks this member, which delivered; LIST_CHANGED
 */
export function consentTo(
  setup: SumSetup,
  member: SumMember,
  state: MemberState,
  survivors: readonly number[],
): Step<ConsentMessage> {
  expectStep(setup, state, 'masked', 'consented')
  const from = memberNumber(setup, member.self)
  const list = checkSurvivors(setup, survivors)
  if (!survivors.includes(from)) {
    throw new PotluckError(
      'LEFT_OUT',
      `${member.self} delivered, yet the list calls it gone: neighbours must not reveal its key; start a new attempt`,
    )
  }
  if (state.survivors !== null && state.survivors.join() !== survivors.join()) {
    throw new PotluckError(
      'LIST_CHANGED',
      `${member.self} already accepted another list of survivors for this sum: to answer both would give away both secrets of whoever they differ in`,
    )
  }
  const message: ConsentMessage = {
    kind: 'consent',
    sum: setup.sum,
    from,
    list: list.hash,
    signature: new Uint8Array(),
  }
  return {
    state: { ...state, step: 'consented', survivors: [...survivors] },
    message: signMessage(message, member.sign),
  }
}

/**
 * Round 4, once a quorum signed the very list this member accepted: for each neighbour on it the share of its seed, for each other the
 * share of its mask key; never both, for there is only the one list (L-47).
 *
 * @throws PotluckError WRONG_STEP; NO_QUORUM; EQUIVOCATION when a member signed another list; BAD_SIGNATURE, DUPLICATE, WRONG_SUM
 */
export function revealShares(
  setup: SumSetup,
  member: SumMember,
  state: MemberState,
  consents: readonly ConsentMessage[],
): RevealMessage {
  expectStep(setup, state, 'consented')
  const from = memberNumber(setup, member.self)
  const { survivors, hash } = checkSurvivors(setup, state.survivors ?? [])
  const agreed = new Set([from])
  for (const consent of consents) {
    checkSum(setup, consent)
    const isSame = equalBytes(consent.list, hash)
    // Enough is enough: more signatures on the same list change nothing.
    if (consent.from === from || (isSame && agreed.size >= setup.graph.quorum)) continue
    expectSignature(setup, member.verify, consent)
    const peer = setup.members[consent.from]!
    if (!isSame) {
      throw new PotluckError(
        'EQUIVOCATION',
        `${peer} was shown another list of survivors: the server is lying; reveal nothing`,
        { peer },
      )
    }
    if (survivors.includes(consent.from)) agreed.add(consent.from)
  }
  if (agreed.size < setup.graph.quorum) {
    throw new PotluckError(
      'NO_QUORUM',
      `${agreed.size} members signed this list of survivors, ${setup.graph.quorum} must: wait for more, or start a new attempt`,
      { signed: agreed.size, quorum: setup.graph.quorum },
      { remedy: 'retry' },
    )
  }
  const shares = setup.neighbours[from]!.map((at, i) => {
    const both = fromHex(state.held[i]!)
    return survivors.includes(at) ? both.slice(32) : both.slice(0, 32)
  })
  return { kind: 'reveal', sum: setup.sum, from, list: hash, shares }
}
