import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { test } from 'node:test'
import { codeOf, concatBytes, sha256, utf8 } from '@potluck/protocol'
import { consentTo, revealShares } from './revealShares.ts'
import type { RingBits } from './ring.ts'
import { SumServer } from './SumServer.ts'
import { type KeyAgreement, portableAgreement } from './sumCrypto.ts'
import { sumInMemory } from './sumInMemory.ts'
import { type MemberState, startSum } from './sumMember.ts'
import { type ConsentMessage, decodeSumMessage, encodeSumMessage, sumMessageDigest } from './sumMessages.ts'
import { setUpSum } from './sumPlan.ts'
import { hash, maskedGroup, memberOf, plainSum, planOf, testCrypto, wordsOf } from './testGroup.ts'

const privateHead = Buffer.from('302e020100300506032b656e04220420', 'hex')
const publicHead = Buffer.from('302a300506032b656e032100', 'hex')
const privateOf = (key: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([privateHead, key]), format: 'der', type: 'pkcs8' })
/** Another library's X25519. */
const nodeAgreement: KeyAgreement = {
  publicKey: (secretKey) =>
    new Uint8Array(createPublicKey(privateOf(secretKey)).export({ format: 'der', type: 'spki' }).subarray(12)),
  agree(secretKey, key) {
    const publicKey = createPublicKey({ key: Buffer.concat([publicHead, key]), format: 'der', type: 'spki' })
    return new Uint8Array(diffieHellman({ privateKey: privateOf(secretKey), publicKey }))
  },
}

const throwsCode = (code: string, run: () => unknown): void => assert.throws(run, (error) => codeOf(error) === code)

test('gives the exact sum of the survivors for groups of every kind, in every ring [L-43]', () => {
  const cases: [number, RingBits, number[]][] = [
    [3, 32, []],
    [4, 16, [2]],
    [6, 64, [0, 5]],
    [9, 32, [1, 4, 7]],
    [20, 32, [0, 3, 4, 19]],
  ]
  for (const [n, bits, goneAt] of cases) {
    const setup = setUpSum(planOf(n, { bits }))
    const gone = goneAt.map((i) => setup.members[i]!)
    const words = new Map(setup.members.map((id) => [id, wordsOf(setup, id)]))
    const members = setup.members.map((id) => memberOf(id, setup.members))
    const sum = sumInMemory(setup, members, words, testCrypto, gone)
    const left = setup.members.filter((id) => !gone.includes(id))
    assert.deepEqual(sum, plainSum(setup, left), `${n} members, ${bits} bits`)
    assert.equal(setup.graph.isComplete, n <= 16)
  }
})

test('gives the same bytes and the same sum with either library for X25519 [L-43]', () => {
  const setup = setUpSum(planOf(4))
  const words = new Map(setup.members.map((id) => [id, wordsOf(setup, id)]))
  const given = [nodeAgreement, portableAgreement].map((agreement) => ({ ...testCrypto, agreement }))
  const [one, other] = given.map((used) => {
    const members = setup.members.map((id) => ({ ...memberOf(id, setup.members), ...used }))
    const keys = startSum(setup, members[0]!, []).message
    return { keys, sum: sumInMemory(setup, members, words, used, ['m002']) }
  })
  assert.deepEqual(one, other)
  assert.deepEqual(one!.sum, plainSum(setup, ['m000', 'm001', 'm003']))
})

test('sends masked words that share no word with the update, and other ones for another round, attempt or base [L-41]', () => {
  const first = maskedGroup(planOf(4)).steps[0]!.message.words
  const setup = setUpSum(planOf(4))
  const plain = wordsOf(setup, setup.members[0]!)
  assert.ok(first.every((word, i) => word !== plain[i]))
  for (const changes of [
    { round: 4 },
    { attempt: 2 },
    { base: hash('other') },
    { job: 'job-8' },
    { seed: hash('x') },
  ]) {
    const other = maskedGroup(planOf(4, changes)).steps[0]!.message.words
    assert.ok(other.every((word, i) => word !== first[i]))
  }
})

test('carries every message as bytes and back, and refuses bytes of another sum or length [L-42]', () => {
  const { setup, members, keys, shares, steps, server } = maskedGroup(planOf(5))
  const survivors = server.closeList()
  const consents = members.map((member, i) => consentTo(setup, member, steps[i]!.state, survivors))
  const reveals = members.map((member, i) =>
    revealShares(
      setup,
      member,
      consents[i]!.state,
      consents.map(({ message }) => message),
    ),
  )
  const other = setUpSum(planOf(5, { round: 4 }))
  for (const message of [keys[1]!, shares[2]!, steps[3]!.message, consents[4]!.message, reveals[0]!]) {
    const bytes = encodeSumMessage(message)
    assert.deepEqual(decodeSumMessage(bytes, setup), message)
    throwsCode('WRONG_SUM', () => decodeSumMessage(bytes, other))
    throwsCode('BAD_SUM_MESSAGE', () => decodeSumMessage(bytes.subarray(0, bytes.length - 1), setup))
    throwsCode('BAD_SUM_MESSAGE', () => decodeSumMessage(concatBytes(bytes, Uint8Array.of(0)), setup))
    throwsCode('BAD_SUM_MESSAGE', () =>
      decodeSumMessage(
        Uint8Array.from(bytes, (byte, i) => (i === 34 ? 5 : byte)),
        setup,
      ),
    )
  }
  for (const bytes of [new Uint8Array(), Uint8Array.of(9), new Uint8Array(40).fill(7)]) {
    throwsCode('BAD_SUM_MESSAGE', () => decodeSumMessage(bytes, setup))
  }
})

test('names whoever doubles, lies about a share or comes late, and finishes once enough have revealed [L-49]', () => {
  const { setup, members, steps, server } = maskedGroup(planOf(6), ['m005'])
  throwsCode('DUPLICATE', () => server.takeMasked(steps[0]!.message))
  throwsCode('BAD_LENGTH', () => server.takeMasked({ ...steps[0]!.message, from: 5, words: new Uint32Array(21) }))
  throwsCode('LIST_OPEN', () => server.finish())
  const survivors = server.closeList()
  throwsCode('LIST_CLOSED', () => server.takeMasked({ ...steps[0]!.message, from: 5 }))
  const states: { state: MemberState; message: ConsentMessage }[] = survivors.map((i) =>
    consentTo(setup, members[i]!, steps[i]!.state, survivors),
  )
  for (const { message } of states) server.takeConsent(message)
  throwsCode('OTHER_LIST', () => server.takeConsent({ ...states[0]!.message, list: new Uint8Array(32) }))
  const reveals = survivors.map((i, at) => revealShares(setup, members[i]!, states[at]!.state, server.consents()))
  const wrong = { ...reveals[0]!, shares: reveals[0]!.shares.map((share) => share.map((byte) => byte ^ 1)) }
  throwsCode('BAD_SHARE', () => server.takeReveal(wrong))
  server.takeReveal(reveals[0]!)
  throwsCode('DUPLICATE', () => server.takeReveal(reveals[0]!))
  server.takeReveal(reveals[1]!)
  server.takeReveal(reveals[2]!)
  throwsCode('BELOW_THRESHOLD', () => server.finish())
  server.takeReveal(reveals[3]!)
  assert.deepEqual(server.finish(), plainSum(setup, setup.members.slice(0, 5)))
  throwsCode('SUM_TAKEN', () => server.finish())
})

test('names a dealer whose shares do not give the secret it published [L-49]', () => {
  const group = maskedGroup(planOf(4))
  const { setup, members, keys } = group
  const server = new SumServer(setup, testCrypto)
  for (const message of keys) server.takeKeys(message)
  group.shares.forEach((message, i) => {
    const other = { ...message, seedHash: sha256(utf8('not the seed')), signature: new Uint8Array() }
    server.takeShares(i === 2 ? { ...other, signature: members[2]!.sign(sumMessageDigest(other)) } : message)
  })
  for (const step of group.steps) server.takeMasked(step!.message)
  const survivors = server.closeList()
  const consents = members.map((member, i) => consentTo(setup, member, group.steps[i]!.state, survivors))
  for (const { message } of consents) server.takeConsent(message)
  members.forEach(
    (member, i) => void server.takeReveal(revealShares(setup, member, consents[i]!.state, server.consents())),
  )
  assert.throws(
    () => server.finish(),
    (error) => codeOf(error) === 'BAD_DEALER' && (error as { facts?: { member?: string } }).facts?.member === 'm002',
  )
})

test('gives up when more are gone than the plan stands, and says who [L-49]', () => {
  const { server } = maskedGroup(planOf(6), ['m000', 'm001', 'm002'])
  throwsCode('TOO_MANY_GONE', () => server.closeList())
})
