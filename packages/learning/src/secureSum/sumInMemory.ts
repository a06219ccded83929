import { dealShares } from './dealShares.ts'
import { maskUpdate } from './maskUpdate.ts'
import { consentTo, revealShares } from './revealShares.ts'
import type { RingWords } from './ring.ts'
import { type ServerCrypto, SumServer } from './SumServer.ts'
import type { SumLedger } from './sumLedger.ts'
import { type MemberState, type SumMember, startSum } from './sumMember.ts'
import { memberNumber, type SumSetup } from './sumPlan.ts'

/**
 * A whole sum in one process, every message made and checked as over a network: for simulation and training on one machine.
 *
 * @param members one for each id of the plan
 * @param words what each member adds, by id
 * @param gone the ids that fall silent when their masked words are due
 * @param ledgers what each member remembers, by id; the new ones are written there
 * @throws what any step throws; TOO_MANY_GONE when more are gone than the plan stands
 */
export function sumInMemory(
  setup: SumSetup,
  members: readonly SumMember[],
  words: ReadonlyMap<string, RingWords>,
  crypto: ServerCrypto,
  gone: readonly string[] = [],
  ledgers: Map<string, SumLedger> = new Map(),
): RingWords {
  const server = new SumServer(setup, crypto)
  const states = new Map<string, MemberState>()
  for (const member of members) {
    const { state, ledger, message } = startSum(setup, member, ledgers.get(member.self) ?? [])
    server.takeKeys(message)
    states.set(member.self, state)
    ledgers.set(member.self, ledger)
  }
  const roster = server.roster()
  for (const member of members) {
    const { state, message } = dealShares(setup, member, states.get(member.self)!, roster)
    server.takeShares(message)
    states.set(member.self, state)
  }
  const left = members.filter(({ self }) => !gone.includes(self))
  for (const member of left) {
    const { self } = member
    const shares = server.sharesFor(memberNumber(setup, self))
    const step = maskUpdate(setup, member, states.get(self)!, shares, words.get(self)!.slice(), ledgers.get(self)!)
    server.takeMasked(step.message)
    states.set(self, step.state)
    ledgers.set(self, step.ledger)
  }
  const survivors = server.closeList()
  for (const member of left) {
    const { state, message } = consentTo(setup, member, states.get(member.self)!, survivors)
    server.takeConsent(message)
    states.set(member.self, state)
  }
  for (const member of left) {
    server.takeReveal(revealShares(setup, member, states.get(member.self)!, server.consents()))
  }
  return server.finish()
}
