import { leastOf, type TrainingPlan } from '@potluck/learning'
import type { Hex } from '@potluck/protocol'
import type { Known } from '../Inbox.ts'
import type { JobView } from '../JobView.ts'
import { membersAt } from '../program/tabularProgram.ts'

/** A message about a masked sum, with the group it is for. */
export type OfGroup<K extends 'maskKey' | 'masked'> = Known<K> & { group: Hex[] }

/** What the members of a private job said about its sums, our own words among it. */
export type HeardSums = {
  readonly keys: readonly OfGroup<'maskKey'>[]
  readonly masked: readonly OfGroup<'masked'>[]
  /** Whom a member still sums with: the members in all groups it answered, as far as we know. */
  boundOf(member: Hex): readonly Hex[]
  /** When we last heard a member that is not further behind than one step; 0 if never. */
  lastHeardMs(member: Hex, step: number): number
}

/** Reads the inbox. What names members or groups that the job cannot have is as good as not said. */
export function hearSums(view: JobView, plan: TrainingPlan): HeardSums {
  const { job, round, inbox } = view
  const least = leastOf(plan)
  const isFixed = least === plan.members.length
  function groupOf({ node, body }: Known<'maskKey'> | Known<'masked'>): Hex[] | undefined {
    const places = isFixed ? undefined : body.group
    if (places?.some((place) => place >= plan.members.length)) return undefined
    const group = membersAt(plan, places)
    return group.includes(node) && group.length >= least ? group : undefined
  }
  const keys = inbox.of('maskKey', job, round).flatMap((message) => {
    const group = groupOf(message)
    return group ? [{ ...message, group }] : []
  })
  const masked = inbox.of('masked', job, round).flatMap((message) => {
    const group = groupOf(message)
    return group ? [{ ...message, group }] : []
  })
  const bounds = new Map<Hex, readonly Hex[]>()
  for (const { node, group } of masked) {
    bounds.set(
      node,
      (bounds.get(node) ?? group).filter((member) => group.includes(member)),
    )
  }
  return {
    keys,
    masked,
    boundOf: (member) => bounds.get(member) ?? (plan.members as readonly Hex[]),
    lastHeardMs(member, step) {
      const heard = [...keys, ...masked].filter(({ node, body }) => node === member && body.step >= step - 1)
      return Math.max(0, ...heard.map(({ seenMs }) => seenMs))
    },
  }
}
