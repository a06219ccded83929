import { PotluckError } from '@potluck/protocol'

/**
 * The next public model from the workers' updates, each weighed by how far it points the way of a reference update that
 * everyone can recompute.
 *
 *   w_i = f32(max(0, cos(u_i, g)))       s_i = min(|g|, median |u|) / |u_i|       next = base - (sum w_i s_i u_i) / (sum w_i)
 *
 * The median is the lower one over updates with positive weight, so no zero, opposed or huge update moves it upwards
 * (L-14). An update with a number that is not finite weighs 0. When every weight is 0 (or the reference is all zero) the
 * round is skipped (L-15): `next` equals `base`.
 *
 * @param round.base [P] f32
 * @param round.updates each [P] f32, base minus the worker's weights, in an order the caller fixes (by claim id): it decides
 *   the last bit
 * @param round.reference [P] f32, same sign convention
 * @returns `next` [P] f32, and `weights`, one an update, as used
 * @throws PotluckError BAD_UPDATE_LENGTH; NOT_FINITE when base, reference or the result has a number that is not
 *
 * Order: sums over P left to right in f64 (a product of two f32 is exact there), over updates in the given order in f64; the
 * result is rounded to f32 once (L-13). Cost: 3 passes over each update. Source: FLTrust, arXiv:2012.13995, with equalised
 * norms.
 */
export function aggregateReferenceWeighted(round: {
  base: Float32Array
  updates: readonly Float32Array[]
  reference: Float32Array
}): { next: Float32Array; weights: Float32Array; skipped: boolean } {
  const { base, updates, reference } = round
  const size = base.length
  const wrong = [reference, ...updates].findIndex((vector) => vector.length !== size)
  if (wrong >= 0) {
    const name = wrong === 0 ? 'the reference' : `update ${wrong - 1}`
    throw new PotluckError(
      'BAD_UPDATE_LENGTH',
      `${name} has another length than the base (${size}): refuse the claim`,
      {
        index: wrong - 1,
        size,
      },
    )
  }
  if (!base.every(Number.isFinite)) throw notFinite('the base')

  const referenceNorm = Math.sqrt(dot(reference, reference))
  if (!Number.isFinite(referenceNorm)) throw notFinite('the reference')

  const norms = updates.map((update) => Math.sqrt(dot(update, update)))
  const weights = Float32Array.from(updates, (update, i) => {
    // Zero norms and numbers that are not finite make this NaN, which is not above 0.
    const cosine = dot(update, reference) / (norms[i]! * referenceNorm)
    return cosine > 0 ? cosine : 0
  })
  const counted = norms.filter((_, i) => weights[i]! > 0).sort((a, b) => a - b)
  if (counted.length === 0) return { next: Float32Array.from(base), weights, skipped: true }

  const median = counted[(counted.length - 1) >> 1]!
  const target = median < referenceNorm ? median : referenceNorm
  const moved = new Float64Array(size)
  let total = 0
  updates.forEach((update, i) => {
    const weight = weights[i]!
    if (weight === 0) return
    total += weight
    const factor = (weight * target) / norms[i]!
    for (let j = 0; j < size; j++) moved[j] = moved[j]! + factor * update[j]!
  })
  const next = new Float32Array(size)
  for (let j = 0; j < size; j++) next[j] = base[j]! - moved[j]! / total
  if (!next.every(Number.isFinite)) throw notFinite('the new model')
  return { next, weights, skipped: false }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!
  return sum
}

function notFinite(what: string): PotluckError {
  return new PotluckError(
    'NOT_FINITE',
    `${what} holds a number that is not finite: it cannot come from an exact program`,
  )
}
