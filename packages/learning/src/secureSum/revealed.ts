import type { GraphPlan } from './planGraph.ts'

export type Revealed = {
  /** Most groups that may hold an attacker before a robust rule across the sums fails. */
  readonly spoiltGroups: number
  /** Share of all members below which attackers are tolerated wherever they sit; 0 with fewer than three groups. */
  readonly attackerShare: number
  /** One sentence each, for the people whose data it is. */
  readonly sentences: readonly string[]
}

/**
 * What sums over groups show and what they do not stop, in words for data owners.
 *
 * @param groups     how many groups are summed side by side
 * @param hasNoise   whether members add noise with a stated ε
 * @param isRedrawn  whether groups change from round to round
 */
export function revealed(
  groupSize: number,
  graph: Pick<GraphPlan, 'colluders' | 'dropouts'>,
  {
    groups = 1,
    hasNoise = false,
    isRedrawn = false,
  }: { groups?: number; hasNoise?: boolean; isRedrawn?: boolean } = {},
): Revealed {
  const spoiltGroups = Math.max(0, Math.ceil(groups / 2) - 1)
  const attackerShare = groups < 3 ? 0 : 1 / (2 * groupSize)
  const least = Math.max(3, groupSize - graph.dropouts)
  const sentences = [
    `Everyone sees the sum of a group: of ${groupSize} members, or of ${least} when ${graph.dropouts === 0 ? 'the group is complete' : `${graph.dropouts} fell out`}. Nobody sees a single member's update, as long as at most ${graph.colluders} of the ${groupSize} pool what they know with the server, which may itself lie.`,
    `If all members but one pool what they know, they learn the last one's update: the sum less their own. No protocol for sums prevents that.`,
    hasNoise
      ? `Each member adds noise, so that a sum says little about any one row or member: how little is the stated ε.`
      : `A sum is exact: no noise is added. Over few members it may still show what is unusual about one of them.`,
    groups < 3
      ? `There ${groups === 1 ? 'is one group' : `are ${groups} groups`}: a member that sends a harmful update spoils the sum, and nobody can tell which it was.`
      : `A robust rule across the ${groups} sums stands up to ${spoiltGroups} spoilt groups, hence fewer than 1 attacker in ${2 * groupSize} members. Within a group nobody can tell who sent what.`,
    `Members state their own numbers. One that adds so much that the sum wraps round, or lies within the range, is not noticed: that would take range proofs, which are not made here.`,
  ]
  if (isRedrawn) {
    sentences.push(
      `Groups change between rounds: whoever compares sums of nearly the same members learns about those who moved. Keep groups for the whole job, or add noise.`,
    )
  }
  return { spoiltGroups, attackerShare, sentences }
}
