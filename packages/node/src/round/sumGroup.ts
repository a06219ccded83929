/**
 * Whom a member of a private job sums with when others stay away (P-63). Pure: what was heard goes in, a group comes out, and members
 * that heard the same come to the same.
 */
import type { Hex } from '@potluck/protocol'

export type Standing = {
  readonly self: Hex
  /** Members we may still sum with, in the job's order: those of the last group that we answered. */
  readonly bound: readonly Hex[]
  /** How few a group may have; more than half of the job's members. */
  readonly least: number
  /** Whom another member is bound to, as far as we know. */
  readonly boundOf: (member: Hex) => readonly Hex[]
}

/** Whether all members of the group, we among them, may still answer it. */
export function mayForm({ self, bound, least, boundOf }: Standing, group: readonly Hex[]): boolean {
  if (group.length < least || !group.includes(self)) return false
  const isWithin = (wider: readonly Hex[]): boolean => group.every((member) => wider.includes(member))
  return isWithin(bound) && group.every((member) => member === self || isWithin(boundOf(member)))
}

export const isSameGroup = (a: readonly Hex[], b: readonly Hex[]): boolean => a.join() === b.join()

/**
 * Of groups that members named for one attempt, the one all should go on with: the smallest, since whom it leaves out was missed by
 * somebody; of two as large the one that leaves out a later member. Undefined when we can join none.
 *
 * @param named each in the job's order
 */
export function chosenGroup(
  standing: Standing,
  members: readonly Hex[],
  named: readonly (readonly Hex[])[],
): Hex[] | undefined {
  const placesOf = (group: readonly Hex[]): number[] => group.map((member) => members.indexOf(member))
  const isBefore = (a: readonly Hex[], b: readonly Hex[]): boolean => {
    if (a.length !== b.length) return a.length < b.length
    const [inA, inB] = [placesOf(a), placesOf(b)]
    const i = inA.findIndex((place, k) => place !== inB[k])
    return i >= 0 && (inA[i] as number) < (inB[i] as number)
  }
  const possible = named.filter((group) => mayForm(standing, group))
  const best = possible.reduce<readonly Hex[] | undefined>((a, b) => (a && !isBefore(b, a) ? a : b), undefined)
  return best && [...best]
}

/**
 * The largest group of members that are there and that may answer it together; undefined when no group that may be summed over is there.
 * A member that is bound to fewer takes its own group with it, or is left out.
 */
export function presentGroup(standing: Standing, isPresent: (member: Hex) => boolean): Hex[] | undefined {
  const { self, bound } = standing
  const boundOf = (member: Hex): readonly Hex[] => (member === self ? bound : standing.boundOf(member))
  const present = bound.filter((member) => member === self || (isPresent(member) && boundOf(member).includes(self)))
  /** Who may sum with this member, less whom those are not bound to, one after the other. */
  const around = (first: Hex): Hex[] => {
    let group = present.filter((member) => boundOf(first).includes(member) && boundOf(member).includes(first))
    for (const member of present) {
      if (group.includes(member)) group = group.filter((other) => boundOf(member).includes(other))
    }
    return group
  }
  const groups = [present, ...present.map(around)].filter((group) => mayForm(standing, group))
  return groups.reduce<Hex[] | undefined>((a, b) => (a && a.length >= b.length ? a : b), undefined)
}

/** True once so many others are bound without us that no group can have us any more. */
export function isLeftOut({ self, bound, least, boundOf }: Standing): boolean {
  return bound.filter((member) => member === self || boundOf(member).includes(self)).length < least
}
