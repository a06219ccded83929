import { PotluckError } from '@potluck/protocol'
import { checkGroup, smallestGroup } from '../secureSum/maskedSum.ts'
import type { TrainingPlan } from './privateTraining.ts'

/** How few members a sum of this plan may have. */
export const leastOf = ({ members, leastMembers }: TrainingPlan): number => leastMembers ?? members.length

/**
 * Throws BAD_PLAN unless `leastMembers` is a number of members above three, above half of them and above the dishonest (L-88).
 *
 * Above half: any two groups then share a member, who answers an attempt under one group only. Two halves of a network that is cut
 * in two could otherwise train two models.
 */
export function checkLeast(plan: TrainingPlan): void {
  if (plan.leastMembers === undefined) return
  const count = plan.members.length
  const dishonest = plan.noise?.dishonest ?? 0
  const least = leastFor(count, dishonest)
  if (Number.isInteger(plan.leastMembers) && plan.leastMembers >= least && plan.leastMembers <= count) return
  throw new PotluckError(
    'BAD_PLAN',
    `leastMembers: expected ${least} to ${count} (three, more than half of ${count} members, more than ${dishonest} dishonest), got ${plan.leastMembers}`,
    { leastMembers: plan.leastMembers, members: count },
  )
}

/** The smallest `leastMembers` that a job of so many members may have. */
export const leastFor = (members: number, dishonest: number): number =>
  Math.max(smallestGroup, Math.floor(members / 2) + 1, dishonest + 1)

/**
 * The plan for a sum over a part of its members, with which keys, vectors and sums are made and read as with the plan itself. Masks,
 * headroom and each member's part of the noise follow from the group's size.
 *
 * @param group who takes part in one attempt, the same for all of them
 * @throws PotluckError WRONG_GROUP for somebody the plan does not name and for fewer than it allows; BAD_GROUP for one named twice
 */
export function planOver(plan: TrainingPlan, group: readonly string[]): TrainingPlan {
  const least = Math.max(leastOf(plan), (plan.noise?.dishonest ?? 0) + 1)
  const strangers = group.filter((member) => !plan.members.includes(member))
  if (strangers.length > 0 || group.length < least) {
    throw new PotluckError(
      'WRONG_GROUP',
      strangers.length > 0
        ? `${strangers.join(', ')}: not of this job's members ${plan.members.join(', ')}`
        : `a sum of this job is over ${least} members at least, got ${group.length}: wait for the others`,
      { members: group.length, least },
    )
  }
  checkGroup(group)
  return { ...plan, members: plan.members.filter((member) => group.includes(member)) }
}
