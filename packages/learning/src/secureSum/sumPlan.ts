import { concatBytes, fromHex, type Hex, PotluckError, sha256, toHex, uint64, utf8 } from '@potluck/protocol'
import type { MaskRounds } from './addMasks.ts'
import { checkGroup } from './maskedSum.ts'
import { type GraphPlan, planGraph, type Tolerance } from './planGraph.ts'
import type { RingBits } from './ring.ts'
import { drawBelow, wordStream } from './wordStream.ts'

/** One sum, and all that its members agreed on. Another value of any field is another sum, with other keys. */
export type SumPlan = Tolerance & {
  readonly job: string
  readonly round: number
  /** From 1. A retry counts up, and its members send other updates. */
  readonly attempt: number
  /** Hash of what the updates start from. 32 bytes. */
  readonly base: Hex
  readonly members: readonly string[]
  readonly bits: RingBits
  readonly rounds: MaskRounds
  /** Words of a vector. */
  readonly length: number
  /** 32 bytes that nobody knew when the members were fixed, such as a beacon's: it draws the circle. */
  readonly seed: Hex
}

/** A plan that was checked, with what follows from it. Members are numbered from 0 in byte order of their ids. */
export type SumSetup = {
  readonly plan: SumPlan
  readonly id: Uint8Array
  /** The id in hex: every message of the sum names it. */
  readonly sum: Hex
  readonly members: readonly string[]
  readonly graph: GraphPlan
  /** Neighbours of each member, ascending. */
  readonly neighbours: readonly (readonly number[])[]
}

/** Ids are sent as two bytes; far more than a group that waits for each other has. */
const mostMembers = 1000
/** 2^30 words of 64 bits are 8 GiB: no vector is longer. */
const longest = 1_073_741_824

/** @throws PotluckError BAD_GROUP, BAD_TOLERANCE, BAD_SUM_PLAN */
export function setUpSum(plan: SumPlan): SumSetup {
  const members = checkGroup(plan.members)
  const isNumber = (value: number, from: number, to: number): boolean =>
    Number.isInteger(value) && value >= from && value <= to
  if (
    !isNumber(plan.round, 0, 4_294_967_295) ||
    !isNumber(plan.attempt, 1, 4_294_967_295) ||
    !isNumber(plan.length, 1, longest) ||
    ![16, 32, 64].includes(plan.bits) ||
    ![8, 12, 20].includes(plan.rounds) ||
    fromHex(plan.base).length !== 32 ||
    fromHex(plan.seed).length !== 32 ||
    members.length > mostMembers
  ) {
    throw new PotluckError(
      'BAD_SUM_PLAN',
      `expected a round from 0, an attempt from 1, 1 to 2^30 words of 16, 32 or 64 bits, 8, 12 or 20 rounds, 32 bytes of base and seed and at most ${mostMembers} members, got round ${plan.round}, attempt ${plan.attempt}, ${plan.length} words of ${plan.bits} bits, ${plan.rounds} rounds, ${members.length} members`,
      { round: plan.round, attempt: plan.attempt, length: plan.length, bits: plan.bits, members: members.length },
    )
  }
  const graph = planGraph(members.length, plan)
  const id = planHash(plan, members)
  return { plan, id, sum: toHex(id), members, graph, neighbours: drawNeighbours(plan, graph, members.length) }
}

/** The number of a member. Throws NOT_A_MEMBER. */
export function memberNumber(setup: SumSetup, member: string): number {
  const at = setup.members.indexOf(member)
  if (at < 0) {
    throw new PotluckError('NOT_A_MEMBER', `${member} is not among the ${setup.members.length} members of this sum`, {
      member,
    })
  }
  return at
}

function planHash(plan: SumPlan, members: readonly string[]): Uint8Array {
  const text = (value: string): Uint8Array => concatBytes(uint64(utf8(value).length), utf8(value))
  const numbers = [
    plan.round,
    plan.attempt,
    plan.bits,
    plan.rounds,
    plan.length,
    plan.colluders,
    plan.dropouts,
    members.length,
  ]
  return sha256(
    text('potluck/sum/2'),
    text(plan.job),
    ...numbers.map((value) => uint64(value)),
    fromHex(plan.base),
    fromHex(plan.seed),
    ...members.map(text),
  )
}

/** A circle in an order drawn from the seed (Fisher–Yates); neighbours are the degree/2 next ones on either side. */
function drawNeighbours(plan: SumPlan, graph: GraphPlan, n: number): number[][] {
  const others = (own: number): number[] => Array.from({ length: n }, (_, i) => i).filter((i) => i !== own)
  if (graph.isComplete) return Array.from({ length: n }, (_, own) => others(own))
  const next = wordStream(sha256(utf8('potluck/sum-circle/2'), fromHex(plan.seed)))
  const circle = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = drawBelow(next, i + 1)
    const picked = circle[j]!
    circle[j] = circle[i]!
    circle[i] = picked
  }
  const neighbours = Array.from({ length: n }, (): number[] => [])
  circle.forEach((own, place) => {
    for (let step = 1; step <= graph.degree / 2; step++) {
      neighbours[own]!.push(circle[(place + step) % n]!, circle[(place - step + n) % n]!)
    }
  })
  return neighbours.map((row) => row.sort((a, b) => a - b))
}
