import { PotluckError } from '@potluck/protocol'

export type DeadlinePolicy = {
  /** How many median deviations beyond the median a member may take. */
  readonly factor: number
  /** Added at least, however alike the times are: an eighth of a second too late is no sign of anything. */
  readonly leastSlackMs: number
  readonly leastMs: number
  readonly mostMs: number
}

export const defaultDeadline: DeadlinePolicy = { factor: 4, leastSlackMs: 250, leastMs: 1_000, mostMs: 600_000 }

/**
 * How long the next round may take, in whole ms: the median of the measured times, plus `factor` times their median absolute
 * deviation, rounded up, within the policy's bounds (L-67).
 *
 *   deadline = median(t) + max(leastSlack, factor · median(|t − median(t)|))
 *
 * Both medians are lower ones, so that a result is a measured number. Whoever did not deliver counts as having taken `mostMs`: a
 * deadline taken from survivors alone would shrink from round to round and shut out the slower half.
 *
 * @param timesMs one for each delivery of the last round or rounds, in any order
 * @param missing members that were expected and did not deliver
 * @throws PotluckError BAD_DEADLINE for a time or a policy that is no whole number of ms from 0 to 2^53, or bounds out of order
 */
export function adaptiveDeadlineMs(timesMs: readonly number[], missing: number, policy: DeadlinePolicy): number {
  const { factor, leastSlackMs, leastMs, mostMs } = policy
  for (const ms of [leastSlackMs, leastMs, mostMs, missing, ...timesMs]) {
    if (!Number.isSafeInteger(ms) || ms < 0) throw badDeadline(`times and counts are whole and not negative, got ${ms}`)
  }
  if (!(factor >= 0 && factor <= 1_000)) throw badDeadline(`factor must be from 0 to 1,000, got ${factor}`)
  if (leastMs > mostMs) throw badDeadline(`leastMs ${leastMs} exceeds mostMs ${mostMs}`)
  const bounded = timesMs.map((ms) => Math.min(ms, mostMs))
  for (let i = 0; i < missing; i++) bounded.push(mostMs)
  if (bounded.length === 0) return mostMs
  const middle = lowerMedian(bounded)
  const deviation = lowerMedian(bounded.map((ms) => Math.abs(ms - middle)))
  const wanted = middle + Math.max(leastSlackMs, Math.ceil(factor * deviation))
  return Math.min(mostMs, Math.max(leastMs, wanted))
}

/** Of n numbers in order the one at ⌊(n − 1)/2⌋. */
export function lowerMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

const badDeadline = (problem: string): PotluckError => new PotluckError('BAD_DEADLINE', problem)
