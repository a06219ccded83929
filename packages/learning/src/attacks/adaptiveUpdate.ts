import { applyRule } from '../aggregation/applyRule.ts'
import type { AttackerView } from './AttackerView.ts'
import { honestStatistics, lengthOf } from './honestStatistics.ts'

/** A candidate: the coefficient of each direction, in lengths of an honest update. */
type Candidate = { readonly at: readonly number[]; readonly harm: number }

/** Stands for 0 below a fraction bar. */
const TINY = 1e-30
/** How fast the search narrows when nothing nearby is better. */
const SHRINK = 0.5

/**
 * The update that, sent by all attackers, moves the aggregate of this very rule furthest against the honest mean (or raises the loss most,
 * where the view has one), as far as a search finds it.
 *
 * Directions, each scaled to the mean honest length: the guess of the reference, the honest mean across it, the deviation of the honest
 * updates by coordinate, the signs of their mean. Starts are the known attacks (inner product, ALIE, turned away from the reference by an
 * angle); from the best of them a pattern search tries each coordinate up and down and halves its step where nothing helps. Every trial
 * calls the rule on all updates, so the search costs `evaluations` aggregations.
 *
 * Sources: arXiv:1911.11815 (optimised attack on a known rule); NDSS 2021 "Manipulating the Byzantine" (deviation directions, scale by search).
 */
export function adaptiveUpdate(view: AttackerView, evaluations: number): Float32Array {
  const seen = view.honest.length > 0 ? view.honest : view.own
  const { mean, deviation, length } = honestStatistics(seen)
  const guess = view.guess ?? Float32Array.from(mean)
  const directions = [guess, across(mean, guess), deviation, mean.map(Math.sign)].map((d) => ofLength(d, length))
  const build = (at: readonly number[]): Float32Array => combination(directions, at)
  let left = evaluations
  const tried = (at: readonly number[]): Candidate => {
    left--
    return { at, harm: harmOf(build(at), { ...view, guess }, mean) }
  }
  let best = tried([0, 0, 0, 0])
  for (const start of startsOf(mean, directions, lengthOf(deviation) / Math.max(length, TINY))) {
    if (left <= 0) break
    const candidate = tried(start)
    if (candidate.harm > best.harm) best = candidate
  }
  for (let step = 0.5; left > 0 && step > 0.01; ) {
    const before = best
    for (let d = 0; d < directions.length && left > 0; d++) {
      for (const sign of [1, -1]) {
        if (left <= 0) break
        const candidate = tried(best.at.map((x, k) => (k === d ? x + sign * step : x)))
        if (candidate.harm > best.harm) best = candidate
      }
    }
    if (best === before) step *= SHRINK
  }
  return build(best.at)
}

/** Known attacks as coefficients. `spread`: length of the deviation in honest lengths. */
function startsOf(mean: Float64Array, [guess, other]: readonly Float64Array[], spread: number): number[][] {
  const along = dot(mean, guess!) / Math.max(dot(guess!, guess!), TINY)
  const aside = dot(mean, other!) / Math.max(dot(other!, other!), TINY)
  return [
    ...[0.5, 2, 10].map((epsilon) => [-epsilon * along, -epsilon * aside, 0, 0]),
    ...[0.7, 1.5, 4].map((z) => [along, aside, -z * spread, 0]),
    // 45° and 70° from the reference, away from the honest mean.
    [0.71, -0.71, 0, 0],
    [0.35, -0.94, 0, 0],
    [along, aside, 0, -1],
    [0, 0, 0, -1],
  ]
}

function harmOf(update: Float32Array, view: AttackerView, mean: Float64Array): number {
  const sent = view.sent ? view.sent(update) : update
  const updates = [...view.honest, ...view.own.map(() => sent)]
  const { rule, guess, previous, seed, lossAfter } = view
  const aggregate = applyRule(rule, { updates, sizes: updates.map(() => 1), reference: guess, previous, seed }).update
  if (lossAfter) return lossAfter(aggregate)
  // 0 when the aggregate goes as far along the honest mean as the mean itself, 1 when it stands still, more when it goes back.
  return 1 - dot(mean, aggregate) / Math.max(dot(mean, mean), TINY)
}

/** The part of `vector` that is orthogonal to `to`. */
function across(vector: Float64Array, to: Float32Array): Float64Array {
  const along = dot(vector, to) / Math.max(dot(to, to), TINY)
  return vector.map((x, j) => x - along * to[j]!)
}

function ofLength(vector: Float32Array | Float64Array, length: number): Float64Array {
  const own = lengthOf(vector)
  return Float64Array.from(vector, (x) => (own > TINY ? (x * length) / own : 0))
}

function combination(directions: readonly Float64Array[], at: readonly number[]): Float32Array {
  const sum = new Float64Array(directions[0]!.length)
  at.forEach((coefficient, d) => {
    if (coefficient !== 0) for (let j = 0; j < sum.length; j++) sum[j]! += coefficient * directions[d]![j]!
  })
  return Float32Array.from(sum)
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!
  return sum
}
