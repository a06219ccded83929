import { adaptiveDeadlineMs, lowerMedian, whoIsLate } from '@potluck/learning'
import type { ShareTime } from './shareTimes.ts'

/** Median deviations beyond the median that a worker may take. */
const FACTOR = 4

export type ShareRound = {
  shares: number
  present: readonly ShareTime[]
  /** Of the round before; empty where none of it was heard. */
  previous: readonly ShareTime[]
}

/**
 * How long a worker may be at a share before others count it as late, in whole ms (P-57): the adaptive deadline (L-67) over the times
 * from first beat to commit in this round and the one before, where a share without a commit counts as `workMs`. So nobody is late
 * before half of what was expected is done, and in a first round nobody before half of its shares are.
 *
 * The slack is at least the job's silence, and half the median: whoever would be done before a second worker is left alone.
 *
 * @param silenceMs the least
 * @param workMs the most
 */
export function shareDeadlineMs({ shares, present, previous }: ShareRound, silenceMs: number, workMs: number): number {
  const rounds = previous.length > 0 ? [previous, present] : [present]
  const done = rounds.map((times) => times.filter(({ committedMs }) => committedMs !== undefined))
  const missing = done.map((times) => Math.max(0, shares - new Set(times.map(({ share }) => share)).size))
  const timesMs = done.flat().map(tookMs)
  return adaptiveDeadlineMs(
    timesMs,
    missing.reduce((sum, count) => sum + count, 0),
    {
      factor: FACTOR,
      leastSlackMs: Math.max(silenceMs, Math.ceil(lowerMedian(timesMs) / 2)),
      leastMs: Math.min(silenceMs, workMs),
      mostMs: workMs,
    },
  )
}

const tookMs = ({ startedMs, committedMs = startedMs }: ShareTime): number =>
  Math.max(0, Math.round(committedMs - startedMs))

/**
 * One line for each worker that is at a share for longer than the deadline, or was (L-73). What others hear of a worker is its beats
 * and its commit, so that all its time counts as training.
 */
export function lateShares(
  times: readonly ShareTime[],
  { openedMs, nowMs, deadlineMs }: { openedMs: number; nowMs: number; deadlineMs: number },
): string[] {
  const members = times.flatMap((one): Parameters<typeof whoIsLate>[0] => {
    const member = `${one.worker} at share ${one.share}`
    if (one.committedMs !== undefined) return [{ member, fetchMs: 0, trainMs: tookMs(one), sendMs: 0 }]
    if (nowMs - Math.max(openedMs, one.startedMs) <= deadlineMs) return []
    return [{ member, lastSeenMs: Math.max(0, Math.round(one.heardMs - openedMs)) }]
  })
  return whoIsLate(members, deadlineMs).map(({ why }) => why)
}
