import { PotluckError } from '@potluck/protocol'

/** What a round did to the probe's loss, divided among those who took part. */
export type RoundContribution = {
  /** From 1. */
  readonly round: number
  /** Participant numbers, in order. */
  readonly members: readonly number[]
  /** Loss that each took off, in the unit of the loss; below 0 where its part of the move added some. */
  readonly values: readonly number[]
}

export type ContributionView = {
  readonly round: number
  readonly members: readonly number[]
  /** base minus trained parameters [P], in order of `members`. */
  readonly updates: readonly Float32Array[]
  /** Each one's part in the aggregate. */
  readonly weights: Float32Array
  /** By how much the rule scaled each update before it weighed them; 1 unless given. See `equalisedScales`. */
  readonly scales?: readonly number[] | undefined
}

/**
 * In-run Shapley values of one round (L-60): the part of each member in what the round took off the loss.
 *
 *   φ_i = w_i · s_i · ⟨u_i, ∇L(base)⟩                        first order
 *   φ_i = w_i · s_i · ⟨u_i, (∇L(base) + ∇L(next)) / 2⟩       second order
 *
 * For a quadratic loss the Shapley value of member i is g·m_i − ½ m_iᵀHm, with m_i = w_i s_i u_i and m = Σ m_i: each interaction is shared
 * by halves. Hm is ∇L(base) − ∇L(next), which makes it the mean of the two gradients, and ∇L(next) is ∇L(base) of the round after: the
 * second order costs nothing but the gradient after the last round. Values then add up to the loss that the round took off, but for terms of third order.
 *
 * @param before gradient of the probe's loss at the round's base [P]
 * @param after  gradient at the round's result [P]; without it the values are first order
 * @throws PotluckError SHAPE when lengths differ
 *
 * Order: f64 sums over ascending elements. Cost: one pass over the updates. Source: arXiv:2406.11011, sections 4.1 and 4.2.
 */
export function roundContribution(
  { round, members, updates, weights, scales }: ContributionView,
  before: Float64Array,
  after?: Float64Array,
): RoundContribution {
  if (members.length !== updates.length || members.length !== weights.length) {
    refuse(`${members.length} members, ${updates.length} updates and ${weights.length} weights: give one of each`)
  }
  if (after && after.length !== before.length) refuse(`gradients of ${before.length} and ${after.length} numbers`)
  const gradient = after ? meanGradient(before, after) : before
  const values = updates.map((update, i) => {
    if (update.length !== gradient.length) {
      refuse(`the update of member ${members[i]} has ${update.length} numbers, the gradient ${gradient.length}`)
    }
    return weights[i]! * (scales?.[i] ?? 1) * lossAlong(update, gradient)
  })
  return { round, members, values }
}

/** Mean of the gradients before and after a round, element by element. */
export const meanGradient = (before: Float64Array, after: Float64Array): Float64Array =>
  before.map((value, j) => (value + after[j]!) / 2)

/** What a move by minus the update takes off the loss, by its gradient: an f64 sum over ascending elements. */
export function lossAlong(update: Float32Array, gradient: Float64Array): number {
  let dot = 0
  for (let j = 0; j < update.length; j++) dot += update[j]! * gradient[j]!
  return dot
}

/**
 * What leaving each member out of the round would have cost, to the same order: the others' weights then grow to make up for its own. A
 * member that is useful, but less so than the rest, is below 0 here and above 0 in Shapley's division.
 *
 *   (φ_i − w_i · whole) / (1 − w_i);   the whole where nobody else has weight
 *
 * @param whole what the round's move took off: the sum of the values, unless a reference took part
 */
export const leaveOneOutValues = (
  { values }: RoundContribution,
  weights: Float32Array,
  whole = values.reduce((sum, value) => sum + value, 0),
): number[] => values.map((value, i) => (weights[i]! < 1 ? (value - weights[i]! * whole) / (1 - weights[i]!) : whole))

/**
 * By how much the rule `reference` scales each update: to the smaller of the reference's length and the lower median length of
 * those with weight (L-14); 0 for an update of no length. In f64, for scores only.
 */
export function equalisedScales(
  updates: readonly Float32Array[],
  weights: Float32Array,
  reference: Float32Array,
): number[] {
  return scalesOf(updates.map(lengthOf), weights, lengthOf(reference))
}

/** `equalisedScales` from lengths, where the updates themselves are gone. */
export function scalesOf(lengths: readonly number[], weights: Float32Array, referenceLength: number): number[] {
  const counted = lengths.filter((_, i) => weights[i]! > 0).toSorted((a, b) => a - b)
  const wanted = Math.min(referenceLength, counted[(counted.length - 1) >> 1] ?? 0)
  return lengths.map((length) => (length > 0 ? wanted / length : 0))
}

/** Euclidean length, by an f64 sum over ascending elements. */
export function lengthOf(vector: Float32Array): number {
  let sum = 0
  for (let j = 0; j < vector.length; j++) sum += vector[j]! * vector[j]!
  return Math.sqrt(sum)
}

function refuse(message: string): never {
  throw new PotluckError('SHAPE', message)
}
