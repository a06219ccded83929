import { PotluckError } from '@potluck/protocol'
import { lowerMedian } from './adaptiveDeadline.ts'

/** Where a member's time in a round went, in whole ms. */
export type RoundTimes = { readonly fetchMs: number; readonly trainMs: number; readonly sendMs: number }

export type LateMember = RoundTimes & {
  readonly member: string
  /** What it was given to do, in quarters; a whole share is 4. Absent where everybody has a whole share. */
  readonly quarters?: number
}

export type Lateness = {
  readonly member: string
  readonly byMs: number
  /** What held it up most against the median member; `absent` when nothing came. */
  readonly cause: 'fetch' | 'train' | 'send' | 'absent'
  /** For its owner. */
  readonly why: string
}

const phases = [
  { cause: 'fetch', of: 'fetchMs', doing: 'fetching the model', remedy: 'a faster download would help' },
  {
    cause: 'train',
    of: 'trainMs',
    doing: 'training',
    remedy: 'a faster machine, or less work by its measured speed, would help',
  },
  {
    cause: 'send',
    of: 'sendMs',
    doing: 'sending the update',
    remedy: 'a faster upload or stronger compression would help',
  },
] as const

/**
 * Who came after the deadline, by how much and what held each up, in the order given (L-73). The cause is the phase with the largest
 * excess over the members' lower median of that phase.
 *
 * @param members all that were expected; `undefined` times for one of whom nothing came
 * @throws PotluckError BAD_TIMES for times that are no whole ms
 */
export function whoIsLate(
  members: readonly (LateMember | { readonly member: string; readonly lastSeenMs: number })[],
  deadlineMs: number,
): Lateness[] {
  const known = members.filter((one): one is LateMember => 'trainMs' in one)
  for (const { member, ...times } of known) {
    for (const ms of [times.fetchMs, times.trainMs, times.sendMs])
      if (!Number.isSafeInteger(ms) || ms < 0)
        throw new PotluckError('BAD_TIMES', `${member}: whole ms from 0, got ${ms}`)
  }
  const medians = phases.map(({ of }) => lowerMedian(known.map((one) => one[of])))
  const late: Lateness[] = []
  for (const one of members) {
    if (!('trainMs' in one)) {
      const why = `${one.member} sent nothing within ${seconds(deadlineMs)}; it was last heard of at ${seconds(one.lastSeenMs)} of the round`
      late.push({ member: one.member, byMs: deadlineMs, cause: 'absent', why })
      continue
    }
    const tookMs = one.fetchMs + one.trainMs + one.sendMs
    if (tookMs <= deadlineMs) continue
    let worst = 0
    phases.forEach(({ of }, i) => {
      const excess = one[of] - (medians[i] ?? 0)
      if (excess > one[phases[worst]?.of ?? of] - (medians[worst] ?? 0)) worst = i
    })
    const { cause, of, doing, remedy } = phases[worst] ?? phases[1]
    const byMs = tookMs - deadlineMs
    const what = one.quarters === undefined ? '' : ` with ${one.quarters} quarters`
    const why = `${one.member} was ${seconds(byMs)} late${what}: ${doing} took ${seconds(one[of])}, the median is ${seconds(medians[worst] ?? 0)}; ${remedy}`
    late.push({ member: one.member, byMs, cause, why })
  }
  return late
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
