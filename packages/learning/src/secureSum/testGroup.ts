/** What the tests of secure sums share: groups of any size, with stand-ins for what the rules under test do not turn on. */
import { equalBytes, sha256, toHex, utf8 } from '@potluck/protocol'
import { addMasksPlainly } from './addMasks.ts'
import { dealShares } from './dealShares.ts'
import { maskUpdate } from './maskUpdate.ts'
import { defaultTolerance } from './planGraph.ts'
import { addRing, type RingWords, ringWords } from './ring.ts'
import { type ServerCrypto, SumServer } from './SumServer.ts'
import type { KeyAgreement } from './sumCrypto.ts'
import { type SumMember, startSum } from './sumMember.ts'
import type { SharesMessage } from './sumMessages.ts'
import { type SumPlan, type SumSetup, setUpSum } from './sumPlan.ts'
import { wordStream } from './wordStream.ts'

export const secretOf = (id: string): Uint8Array => sha256(utf8(`secret of ${id}`))

/** Symmetric in its two ends like X25519, a thousand times faster, and safe for nobody: keys are public as they are. */
export const fakeAgreement: KeyAgreement = {
  publicKey: (secretKey) => secretKey,
  agree: (one, other) =>
    other.every((byte) => byte === 0) ? new Uint8Array(32) : sha256(one.map((byte, i) => byte ^ other[i]!)),
}

export const testCrypto: ServerCrypto = {
  agreement: fakeAgreement,
  verify: (id, digest, signature) => equalBytes(signature, sha256(secretOf(id), digest)),
  addMasks: addMasksPlainly,
}

export const named = (n: number): string[] => Array.from({ length: n }, (_, i) => `m${String(i).padStart(3, '0')}`)
export const hash = (text: string) => toHex(sha256(utf8(text)))

export const memberOf = (self: string, approved: readonly string[]): SumMember => ({
  self,
  approved,
  secret: secretOf(self),
  sign: (digest) => sha256(secretOf(self), digest),
  ...testCrypto,
})

export function planOf(n: number, changes: Partial<SumPlan> = {}): SumPlan {
  return {
    job: 'job-7',
    round: 3,
    attempt: 1,
    base: hash('base'),
    members: named(n),
    bits: 32,
    rounds: 8,
    length: 20,
    seed: hash('beacon'),
    ...defaultTolerance(n),
    ...changes,
  }
}

export function wordsOf(setup: SumSetup, id: string): RingWords {
  const next = wordStream(sha256(utf8(`values of ${id}`)))
  const words = ringWords(setup.plan.bits, setup.plan.length)
  for (let i = 0; i < words.length; i++) {
    if (words instanceof BigUint64Array) words[i] = next()
    else words[i] = Number(next() & 0xffffffffn)
  }
  return words
}

export const plainSum = (setup: SumSetup, ids: readonly string[]): RingWords => {
  const sum = ringWords(setup.plan.bits, setup.plan.length)
  for (const id of ids) addRing(sum, wordsOf(setup, id))
  return sum
}

/** A group after round 2, with everything a test wants to tamper with. */
export function maskedGroup(plan: SumPlan, gone: readonly string[] = []) {
  const setup = setUpSum(plan)
  const members = setup.members.map((id) => memberOf(id, setup.members))
  const started = members.map((member) => startSum(setup, member, []))
  const keys = started.map(({ message }) => message)
  const dealt = members.map((member, i) => dealShares(setup, member, started[i]!.state, keys))
  const shares = dealt.map(({ message }) => message)
  const sharesFor = (i: number): SharesMessage[] => setup.neighbours[i]!.map((at) => shares[at]!)
  const server = new SumServer(setup, testCrypto)
  for (const message of keys) server.takeKeys(message)
  for (const message of shares) server.takeShares(message)
  const steps = members.map((member, i) =>
    gone.includes(member.self)
      ? null
      : maskUpdate(setup, member, dealt[i]!.state, sharesFor(i), wordsOf(setup, member.self), started[i]!.ledger),
  )
  for (const step of steps) if (step) server.takeMasked(step.message)
  return { setup, members, started, keys, dealt, shares, sharesFor, server, steps }
}
