import { PotluckError } from '@potluck/protocol'

/** How well scores tell members from outsiders: 0.5 is guessing. */
export type RocArea = {
  /** Probability that a member scores above an outsider; ties count half. */
  readonly area: number
  /** 95 % interval by DeLong, within [0, 1]. */
  readonly low: number
  readonly high: number
  /** Members found when 1 % of the outsiders are taken for members. */
  readonly tprAt1Percent: number
  /** Largest difference of true- and false-positive rate over all thresholds. */
  readonly advantage: number
}

/**
 * Area under the curve of true- against false-positive rates, with its interval.
 *
 * @throws PotluckError BAD_SCORES with fewer than two members or outsiders, or a score that is none
 *
 * Cost: members · outsiders comparisons. Source: DeLong, DeLong, Clarke-Pearson 1988.
 */
export function rocArea(scores: Float64Array, isMember: readonly boolean[]): RocArea {
  const members = scores.filter((_, i) => isMember[i])
  const outsiders = scores.filter((_, i) => !isMember[i])
  if (members.length < 2 || outsiders.length < 2 || scores.length !== isMember.length || scores.some(Number.isNaN)) {
    throw new PotluckError(
      'BAD_SCORES',
      `need scores of at least two members and two outsiders, got ${members.length} and ${outsiders.length} of ${scores.length}`,
    )
  }
  const above = (a: number, b: number): number => (a > b ? 1 : a === b ? 0.5 : 0)
  const average = (values: Float64Array, of: (value: number) => number): number =>
    values.reduce((sum, value) => sum + of(value), 0) / values.length
  const ofMembers = members.map((a) => average(outsiders, (b) => above(a, b)))
  const ofOutsiders = outsiders.map((b) => average(members, (a) => above(a, b)))
  const area = average(ofMembers, (x) => x)
  const spread = (parts: Float64Array): number =>
    parts.reduce((sum, part) => sum + (part - area) * (part - area), 0) / (parts.length - 1) / parts.length
  const half = 1.959963984540054 * Math.sqrt(spread(ofMembers) + spread(ofOutsiders))
  return {
    area,
    low: Math.max(0, area - half),
    high: Math.min(1, area + half),
    ...overThresholds(members.toSorted(), outsiders.toSorted()),
  }
}

/** @param members ascending @param outsiders ascending */
function overThresholds(members: Float64Array, outsiders: Float64Array): { tprAt1Percent: number; advantage: number } {
  const share = (sorted: Float64Array, threshold: number): number =>
    sorted.reduce((sum, score) => sum + (score > threshold ? 1 : 0), 0) / sorted.length
  let [tprAt1Percent, advantage] = [0, 0]
  for (const threshold of [Number.NEGATIVE_INFINITY, ...outsiders]) {
    const [tpr, fpr] = [share(members, threshold), share(outsiders, threshold)]
    advantage = Math.max(advantage, tpr - fpr)
    if (fpr <= 0.01) tprAt1Percent = Math.max(tprAt1Percent, tpr)
  }
  return { tprAt1Percent, advantage }
}
