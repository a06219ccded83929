import type { Hex } from '@potluck/protocol'
import type { ShareTime } from './shareTimes.ts'

export type Patience = {
  /** When the round opened; silence and time at a share count from there at the earliest. */
  openedMs: number
  nowMs: number
  silenceMs: number
  /** How long a worker may be at a share (P-57). */
  deadlineMs: number
}

/** `late`: a worker is at it, beating, but beyond its deadline. */
export type Due = { share: number; because: 'own' | 'silent' | 'late' }

/**
 * The share this worker should do now, or undefined (P-41, P-57): its own first; then one that nobody has committed and all others
 * have let go of, by their silence or by their deadline. Behind the next in line each place waits once more, so that two workers do
 * not take over at the same moment; and who has taken over keeps the share as any other, until it is silent or late itself.
 *
 * @param times of the workers heard in this round
 * @param mine shares this worker has committed already
 */
export function dueShare(
  self: Hex,
  assignment: readonly Hex[][],
  times: readonly ShareTime[],
  { openedMs, nowMs, silenceMs, deadlineMs }: Patience,
  mine: ReadonlySet<number>,
): Due | undefined {
  let takeover: Due | undefined
  for (const [share, order] of assignment.entries()) {
    const place = order.indexOf(self)
    if (place < 0 || mine.has(share)) continue
    const others = times.filter((one) => one.share === share && one.worker !== self)
    if (others.some(({ committedMs }) => committedMs !== undefined)) continue
    const holds = others.map(({ startedMs, heardMs }) => {
      const silentMs = Math.max(openedMs, heardMs) + silenceMs
      const lateMs = Math.max(openedMs, startedMs) + deadlineMs
      return { freeMs: Math.min(silentMs, lateMs), isLate: lateMs < silentMs }
    })
    const last = holds.reduce((latest, one) => (one.freeMs > latest.freeMs ? one : latest), {
      freeMs: openedMs + silenceMs,
      isLate: false,
    })
    if (place === 0) {
      // Somebody is at it, perhaps because we were away: doing it twice would be paid once.
      if (holds.some(({ freeMs }) => nowMs < freeMs)) continue
      return { share, because: 'own' }
    }
    if (takeover === undefined && nowMs > last.freeMs + (place - 1) * silenceMs)
      takeover = { share, because: last.isLate ? 'late' : 'silent' }
  }
  return takeover
}

/** Whether a worker's effort at a share has come to nothing: somebody before it in line has committed, and the first in line counts (P-41). */
export function isOvertaken(self: Hex, order: readonly Hex[], times: readonly ShareTime[], share: number): boolean {
  const place = order.indexOf(self)
  return times.some(
    (one) =>
      one.share === share && one.committedMs !== undefined && order.slice(0, Math.max(0, place)).includes(one.worker),
  )
}
