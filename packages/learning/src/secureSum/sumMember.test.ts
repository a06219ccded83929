import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, concatBytes, sha256, toHex, utf8 } from '@potluck/protocol'
import { dealShares } from './dealShares.ts'
import { maskUpdate } from './maskUpdate.ts'
import { consentTo, revealShares } from './revealShares.ts'
import type { RingWords } from './ring.ts'
import { SumServer } from './SumServer.ts'
import { sealShare } from './sealShare.ts'
import { sumSecrets } from './sumCrypto.ts'
import { startSum } from './sumMember.ts'
import { type ConsentMessage, type KeysMessage, type SharesMessage, sumMessageDigest } from './sumMessages.ts'
import { setUpSum } from './sumPlan.ts'
import {
  fakeAgreement,
  hash,
  maskedGroup,
  memberOf,
  named,
  planOf,
  secretOf,
  testCrypto,
  wordsOf,
} from './testGroup.ts'

const throwsCode = (code: string, run: () => unknown): void => assert.throws(run, (error) => codeOf(error) === code)

test('answers no group with a member its owner did not approve, none of two, and none it is not in [L-44]', () => {
  const setup = setUpSum(planOf(4))
  const [a, b, c] = setup.members as [string, string, string]
  throwsCode('NOT_APPROVED', () => startSum(setup, memberOf(a, [b, c]), []))
  throwsCode('NOT_A_MEMBER', () => startSum(setup, memberOf('eve', setup.members), []))
  throwsCode('BAD_GROUP', () => setUpSum(planOf(4, { members: [a, b] })))
  throwsCode('BAD_GROUP', () => setUpSum(planOf(4, { members: [a, b, a, c] })))
  throwsCode('BAD_TOLERANCE', () => setUpSum(planOf(4, { dropouts: 2 })))
  throwsCode('BAD_SUM_PLAN', () => setUpSum(planOf(4, { rounds: 7 as 8 })))
  throwsCode('BAD_SUM_PLAN', () => setUpSum(planOf(4, { base: '0x12' })))
})

test('joins one sum a round and attempt, whatever its base, group or seed, and never sends an update twice [L-45]', () => {
  const { started, steps, members, dealt, sharesFor, setup } = maskedGroup(planOf(4))
  const { ledger } = steps[0]!
  for (const changes of [{}, { base: hash('other') }, { seed: hash('other') }, { members: named(5) }]) {
    const again = setUpSum(planOf(4, changes))
    throwsCode('SUM_ALREADY_BEGUN', () => startSum(again, memberOf(members[0]!.self, again.members), ledger))
  }
  throwsCode('WRONG_STEP', () =>
    maskUpdate(setup, members[0]!, steps[0]!.state, sharesFor(0), wordsOf(setup, members[0]!.self), ledger),
  )
  const retry = setUpSum(planOf(4, { attempt: 2 }))
  const renewed = startSum(retry, members[0]!, ledger)
  assert.notDeepEqual(renewed.message.maskKey, started[0]!.message.maskKey)
  const others = members.slice(1).map((member) => startSum(retry, member, []))
  const keys = [renewed, ...others].map(({ message }) => message)
  const deals = members.map((member, i) => dealShares(retry, member, [renewed, ...others][i]!.state, keys))
  const words = wordsOf(setup, members[0]!.self)
  const mask = (update: RingWords) =>
    maskUpdate(
      retry,
      members[0]!,
      deals[0]!.state,
      deals.slice(1).map(({ message }) => message),
      update,
      renewed.ledger,
    )
  throwsCode('UPDATE_REUSED', () => mask(words))
  mask(Uint32Array.from(words as Uint32Array, (word) => word + 1))
  assert.equal(dealt.length, 4)
})

test('refuses keys and shares that are unsigned, missing, doubled, of another round or shown differently to others [L-46]', () => {
  const { setup, members, started, keys, dealt, shares, sharesFor } = maskedGroup(planOf(4))
  const deal = (list: readonly KeysMessage[]) => dealShares(setup, members[0]!, started[0]!.state, list)
  const forged = { ...keys[1]!, maskKey: keys[2]!.maskKey }
  throwsCode('BAD_SIGNATURE', () => deal([keys[0]!, forged, keys[2]!, keys[3]!]))
  throwsCode('MEMBER_MISSING', () => deal(keys.slice(0, 3)))
  throwsCode('DUPLICATE', () => deal([...keys, keys[1]!]))
  throwsCode('EQUIVOCATION', () => deal([{ ...keys[0]!, maskKey: keys[1]!.maskKey }, ...keys.slice(1)]))
  const later = maskedGroup(planOf(4, { round: 4 }))
  throwsCode('WRONG_SUM', () => deal([...keys.slice(0, 3), later.keys[3]!]))

  const mask = (list: readonly SharesMessage[]) =>
    maskUpdate(setup, members[0]!, dealt[0]!.state, list, wordsOf(setup, members[0]!.self), started[0]!.ledger)
  const [first, second, third] = sharesFor(0) as [SharesMessage, SharesMessage, SharesMessage]
  throwsCode('WRONG_SUM', () => mask([first, second, later.shares[3]!]))
  throwsCode('MEMBER_MISSING', () => mask([first, second]))
  throwsCode('DUPLICATE', () => mask([first, second, third, third]))
  throwsCode('BAD_SUM_MESSAGE', () => mask([first, second, { ...third, dealt: third.dealt.slice(1) }]))
  for (const changed of [{ roster: sha256(utf8('other')) }, { dealt: [...third.dealt].reverse() }]) {
    throwsCode('SEAL_BROKEN', () => mask([first, second, { ...third, ...changed }]))
  }
  const swapped = third.dealt.map((one) => ({ ...one, seedHash: one.keyHash }))
  throwsCode('SEAL_BROKEN', () => mask([first, second, { ...third, dealt: swapped }]))
  // A dealer that promises another share than it seals, its own seal intact.
  const agreed = fakeAgreement.agree(sumSecrets(secretOf('m003'), setup).sealKey, keys[0]!.sealKey)
  const promised = concatBytes(third.roster, third.seedHash, third.seedHash)
  const sealed = sealShare(agreed, { sum: setup.id, from: 3, to: 0 }, new Uint8Array(64), promised)
  const lie = { keyHash: third.seedHash, seedHash: third.seedHash, sealed }
  throwsCode('BAD_SHARE', () => mask([first, second, { ...third, dealt: [lie, ...third.dealt.slice(1)] }]))

  // A member that signs different keys for different neighbours: the hashes of the rosters differ.
  const twoFaced = startSum(setUpSum(planOf(4)), { ...members[3]!, secret: secretOf('other face') }, []).message
  const shown = [keys[0]!, keys[1]!, keys[2]!, { ...twoFaced }]
  const elsewhere = dealShares(setup, members[1]!, started[1]!.state, shown).message
  throwsCode('EQUIVOCATION', () => mask([elsewhere, second, third]))
  const server = new SumServer(setup, testCrypto)
  server.takeKeys(keys[3]!)
  throwsCode('EQUIVOCATION', () => server.takeKeys(twoFaced))
  throwsCode('DUPLICATE', () => server.takeKeys(keys[3]!))
  throwsCode('BAD_SIGNATURE', () => server.takeShares({ ...third, seedHash: first.seedHash }))
  assert.equal(shares.length, 4)
})

test('refuses key agreement with a key of small order, and words of another length or ring [L-46]', () => {
  const setup = setUpSum(planOf(3))
  const members = setup.members.map((id) => memberOf(id, setup.members))
  const started = members.map((member) => startSum(setup, member, []))
  const weak = { ...started[1]!.message, sealKey: new Uint8Array(32), signature: new Uint8Array() }
  const digest = sumMessageDigest(weak)
  const keys = [started[0]!.message, { ...weak, signature: members[1]!.sign(digest) }, started[2]!.message]
  throwsCode('BAD_PUBLIC_KEY', () => dealShares(setup, members[0]!, started[0]!.state, keys))
  const { dealt, sharesFor } = maskedGroup(planOf(3))
  for (const words of [new Uint32Array(19), new Uint16Array(20)]) {
    throwsCode('BAD_LENGTH', () =>
      maskUpdate(setup, members[0]!, dealt[0]!.state, sharesFor(0), words, started[0]!.ledger),
    )
  }
})

test('accepts one list of survivors in its life, so that nobody gets both secrets of a member [L-47]', () => {
  const { setup, members, steps, server } = maskedGroup(planOf(9))
  const everyone = setup.members.map((_, i) => i)
  const without8 = everyone.slice(0, 8)
  const { state, message } = consentTo(setup, members[0]!, steps[0]!.state, everyone)
  assert.deepEqual(consentTo(setup, members[0]!, state, everyone).message, message)
  throwsCode('LIST_CHANGED', () => consentTo(setup, members[0]!, state, without8))
  throwsCode('LEFT_OUT', () => consentTo(setup, members[8]!, steps[8]!.state, without8))
  throwsCode('TOO_MANY_GONE', () => consentTo(setup, members[0]!, steps[0]!.state, everyone.slice(0, 5)))
  throwsCode('BAD_LIST', () => consentTo(setup, members[0]!, steps[0]!.state, [...without8, 8, 8]))
  throwsCode('BAD_LIST', () => consentTo(setup, members[0]!, steps[0]!.state, [...without8, 9]))
  throwsCode('WRONG_STEP', () => revealShares(setup, members[0]!, steps[0]!.state, []))
  assert.equal(server.closeList().length, 9)
})

test('reveals nothing until a quorum signed the same list, whatever a lying server shows to whom [L-48]', () => {
  const { setup, members, steps } = maskedGroup(planOf(9))
  assert.equal(setup.graph.quorum, 6)
  const everyone = setup.members.map((_, i) => i)
  const without8 = everyone.slice(0, 8)
  const consent = (i: number, list: readonly number[]) => consentTo(setup, members[i]!, steps[i]!.state, list)
  // The server tells four members that number 8 is there and four that it is gone.
  const one = [0, 1, 2, 3].map((i) => consent(i, everyone))
  const other = [4, 5, 6, 7].map((i) => consent(i, without8))
  const messages = (list: { message: ConsentMessage }[]) => list.map(({ message }) => message)
  throwsCode('NO_QUORUM', () => revealShares(setup, members[0]!, one[0]!.state, messages(one)))
  throwsCode('NO_QUORUM', () => revealShares(setup, members[4]!, other[0]!.state, messages(other)))
  throwsCode('NO_QUORUM', () => revealShares(setup, members[0]!, one[0]!.state, Array(9).fill(one[1]!.message)))
  throwsCode('EQUIVOCATION', () => revealShares(setup, members[0]!, one[0]!.state, messages([...one, ...other])))
  const forged = { ...one[1]!.message, from: 5 }
  throwsCode('BAD_SIGNATURE', () => revealShares(setup, members[0]!, one[0]!.state, [...messages(one), forged]))
  // Numbers 7 and 8 pool with the server and sign both lists: only one of them gets a quorum.
  const without3 = everyone.filter((i) => i !== 3)
  const half = [0, 1, 2, 3, 7, 8].map((i) => consent(i, everyone))
  const rest = [4, 5, 6, 7, 8].map((i) => consent(i, without3))
  assert.equal(revealShares(setup, members[0]!, half[0]!.state, messages(half)).shares.length, 8)
  throwsCode('NO_QUORUM', () => revealShares(setup, members[4]!, rest[0]!.state, messages(rest)))
})

test('reveals seeds of survivors and mask keys of the gone, so that the server has one secret of each member [L-47]', () => {
  const gone = ['m001', 'm004']
  const { setup, members, steps, server } = maskedGroup(planOf(6), gone)
  const survivors = server.closeList()
  const states = survivors.map((i) => consentTo(setup, members[i]!, steps[i]!.state, survivors))
  const consents = states.map(({ message }) => message)
  survivors.forEach((i, at) => {
    const { shares } = revealShares(setup, members[i]!, states[at]!.state, consents)
    setup.neighbours[i]!.forEach((peer, k) => {
      const both = states[at]!.state.held[k]!
      const [key, seed] = [both.slice(2, 66), both.slice(66)]
      const expected = survivors.includes(peer) ? seed : key
      assert.equal(toHex(shares[k]!).slice(2), expected)
    })
  })
})
