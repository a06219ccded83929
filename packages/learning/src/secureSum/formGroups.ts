import { compareBytes, PotluckError, sha256, utf8 } from '@potluck/protocol'
import { smallestGroup } from './maskedSum.ts'
import { drawBelow, wordStream } from './wordStream.ts'

export type FormedGroups = {
  /** Members of each group in byte order; each approves each other one. */
  readonly groups: readonly (readonly string[])[]
  readonly unplaced: readonly { readonly member: string; readonly reason: string }[]
}

/** Finding the best partition is hard in general; the best of this many drawn orders is near it for groups that exist in practice. */
const orders = 32

/**
 * Groups for secure sums in which every owner approved every other member (L-52), from a seed nobody chose.
 *
 * Groups have `size` members; who is left over joins a group that wants it and that it wants, which then has more, or makes a smaller
 * one of at least three with others left over. Who still has no place learns why.
 *
 * @param approvals for each member, whom its owner would sum with; a member without an entry approved nobody
 * @param size at least 3
 */
export function formGroups(
  members: readonly string[],
  approvals: ReadonlyMap<string, readonly string[]>,
  seed: Uint8Array,
  size: number,
): FormedGroups {
  if (!Number.isInteger(size) || size < smallestGroup) {
    throw new PotluckError(
      'BAD_GROUP',
      `a sum over ${size} members would show what one of them holds: form groups of at least ${smallestGroup}`,
      { size },
    )
  }
  const sorted = [...new Set(members)].sort(inByteOrder)
  if (sorted.length !== members.length) throw new PotluckError('BAD_GROUP', 'a member is listed twice: list each once')
  const approved = new Map(sorted.map((id) => [id, new Set(approvals.get(id) ?? [])]))
  const friends = new Map(
    sorted.map((id) => [
      id,
      sorted.filter((other) => other !== id && approved.get(id)!.has(other) && approved.get(other)!.has(id)),
    ]),
  )
  const next = wordStream(sha256(utf8('potluck/groups/2'), seed))
  let best: string[][] | null = null
  let placed = -1
  for (let i = 0; i < orders && placed < sorted.length; i++) {
    const groups = groupsInOrder(shuffled(sorted, next), friends, size)
    const count = groups.reduce((sum, group) => sum + group.length, 0)
    if (count > placed) {
      best = groups
      placed = count
    }
  }
  const groups = (best ?? []).map((group) => group.sort(inByteOrder))
  const isPlaced = new Set(groups.flat())
  const reasonOf = (member: string): string => {
    const mutual = friends.get(member)!.length
    if (approved.get(member)!.size === 0) return 'its owner approved nobody: approve members to sum with'
    if (mutual < smallestGroup - 1) {
      return `it and ${mutual} others approve each other, a group takes ${smallestGroup - 1}: more owners must approve it, or it more of them`
    }
    return 'no group is left in which all approve each other: approve more members, or bring more'
  }
  const unplaced = sorted.filter((id) => !isPlaced.has(id)).map((member) => ({ member, reason: reasonOf(member) }))
  return { groups, unplaced }
}

type Friends = ReadonlyMap<string, readonly string[]>

function groupsInOrder(order: readonly string[], friends: Friends, size: number): string[][] {
  const left = new Set(order)
  const groups: string[][] = []
  const fits = (group: readonly string[], id: string): boolean =>
    group.every((other) => friends.get(id)!.includes(other))
  // Whoever has the fewest to choose from chooses first; the drawn order breaks ties.
  const byChoice = [...order].sort((a, b) => friends.get(a)!.length - friends.get(b)!.length)
  for (const wanted of [size, smallestGroup]) {
    for (const first of byChoice) {
      if (!left.has(first)) continue
      const group = [first]
      for (const id of byChoice) {
        if (group.length < wanted && id !== first && left.has(id) && fits(group, id)) group.push(id)
      }
      if (group.length < wanted) continue
      groups.push(group)
      for (const id of group) left.delete(id)
    }
    for (const id of left) {
      const smallest = groups.filter((group) => fits(group, id)).sort((a, b) => a.length - b.length)[0]
      if (smallest === undefined) continue
      smallest.push(id)
      left.delete(id)
    }
  }
  return groups
}

function shuffled(items: readonly string[], next: () => bigint): string[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = drawBelow(next, i + 1)
    const picked = out[j]!
    out[j] = out[i]!
    out[i] = picked
  }
  return out
}

const inByteOrder = (a: string, b: string): number => compareBytes(utf8(a), utf8(b))
