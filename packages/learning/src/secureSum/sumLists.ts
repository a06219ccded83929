import { concatBytes, PotluckError, sha256, utf8 } from '@potluck/protocol'
import type { KeysMessage } from './sumMessages.ts'
import type { SumSetup } from './sumPlan.ts'

/** The members a server says delivered, checked. Ascending numbers. */
export type SurvivorList = { readonly survivors: readonly number[]; readonly hash: Uint8Array }

/**
 * Checks what a list of survivors must fulfil whoever made it: known members, each once, at least three, and no more gone than the
 * plan allows. That bound is also what keeps a lying server from cutting honest members off from each other by calling their neighbours gone.
 *
 * @throws PotluckError BAD_LIST; TOO_MANY_GONE (remedy: a new attempt without them)
 */
export function checkSurvivors(setup: SumSetup, survivors: readonly number[]): SurvivorList {
  const n = setup.members.length
  const isAscending = survivors.every(
    (at, i) => Number.isInteger(at) && at >= 0 && at < n && (i === 0 || at > survivors[i - 1]!),
  )
  if (!isAscending) {
    throw new PotluckError(
      'BAD_LIST',
      `expected distinct numbers of members below ${n} in ascending order: ask the server for its list again`,
    )
  }
  const { dropouts } = setup.graph
  if (survivors.length < Math.max(3, n - dropouts)) {
    const gone = setup.members.filter((_, i) => !survivors.includes(i))
    throw new PotluckError(
      'TOO_MANY_GONE',
      `${gone.length} of ${n} members are gone, this sum stands ${dropouts} and needs three: start a new attempt without ${gone.slice(0, 5).join(', ')}${gone.length > 5 ? ' …' : ''}`,
      { members: n, survivors: survivors.length, dropouts },
      { remedy: 'retry' },
    )
  }
  const bitmap = new Uint8Array(Math.ceil(n / 8))
  for (const at of survivors) bitmap[at >> 3]! |= 1 << (at & 7)
  return { survivors, hash: sha256(utf8('potluck/survivors/2'), setup.id, bitmap) }
}

/**
 * The hash of all members' keys: two members whose hashes differ were shown different keys of somebody.
 *
 * @throws PotluckError MEMBER_MISSING or DUPLICATE unless there is one message of each member; WRONG_SUM
 */
export function rosterHash(setup: SumSetup, keys: readonly KeysMessage[]): Uint8Array {
  const inOrder = onePerMember(setup, keys)
  return sha256(
    utf8('potluck/roster/2'),
    setup.id,
    concatBytes(...inOrder.flatMap(({ maskKey, sealKey }) => [maskKey, sealKey])),
  )
}

/** The messages by number of their senders, one of each. Throws WRONG_SUM, DUPLICATE, MEMBER_MISSING. */
export function onePerMember<M extends { sum: string; from: number }>(setup: SumSetup, messages: readonly M[]): M[] {
  const byMember = new Map<number, M>()
  for (const message of messages) {
    checkSum(setup, message)
    if (byMember.has(message.from)) {
      const member = setup.members[message.from]!
      throw new PotluckError('DUPLICATE', `two messages of ${member} for one round: keep the first`, { member })
    }
    byMember.set(message.from, message)
  }
  const absent = setup.members.filter((_, i) => !byMember.has(i))
  if (absent.length > 0) {
    throw new PotluckError(
      'MEMBER_MISSING',
      `${absent.length} of ${setup.members.length} members sent nothing (${absent.slice(0, 5).join(', ')}): nothing was given away; start a new attempt without them`,
      { members: setup.members.length, absent: absent.length },
      { remedy: 'retry' },
    )
  }
  return setup.members.map((_, i) => byMember.get(i)!)
}

/** Throws WRONG_SUM unless the message belongs to this sum, and BAD_SUM_MESSAGE unless a member of it sent it. */
export function checkSum({ sum, members }: SumSetup, message: { sum: string; from: number }): void {
  if (message.sum !== sum) {
    throw new PotluckError(
      'WRONG_SUM',
      'a message of another sum: job, round, attempt, base and group must all be those of the plan',
    )
  }
  if (members[message.from] === undefined) {
    throw new PotluckError('BAD_SUM_MESSAGE', `a message from member ${message.from} of ${members.length}`)
  }
}
