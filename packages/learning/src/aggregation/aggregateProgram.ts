import {
  column,
  columnIndex,
  type Engine,
  full,
  identity,
  type Program,
  ProgramBuilder,
  type Real,
  row,
  rowIndex,
  ScalarBuilder,
  scalar,
} from '@potluck/engine'
import { MARGIN, REFERENCE_PART, SMALLEST_NORM } from './referenceConstants.ts'

/** 2^20. An update with an element beyond it weighs nothing, and no square or product within it overflows. */
const LARGEST = 1_048_576

/**
 * The next public model as an exact program: from the workers' updates, each weighed by how far it points the way of a reference
 * update that everyone can recompute, and from the reference itself (L-13 … L-15).
 *
 *   w_i = max(0, cos(u_i, g) + 3/32)    W = Σ w_i    c = min(|g|, median |u|)
 *   next = base − (W/4 · c g/|g| + Σ w_i c u_i/|u_i|) / (W + W/4)
 *
 * The median is the lower one over updates with positive weight, so no zero, opposed or huge update moves it upwards. When every
 * weight is 0 the model stays as it is.
 *
 * Inputs: base f32 [P]; reference f32 [P]; updates f32 [shares, P], base minus the worker's weights, zeros where a share has none.
 * Outputs: weights f32 [shares]; next f32 [P], which the last operation writes.
 *
 * Order: sums over P and over shares as E-11, the sum of the moves as E-12. Cost: 3 passes over the updates, shares² comparisons.
 * Source: FLTrust, arXiv:2012.13995, with equalised norms, a margin, and the reference as a member.
 */
export function aggregateProgram(P: number, shares: number): Program {
  const b = new ProgramBuilder()
  const base = b.input('base', [P])
  const reference = b.input('reference', [P])
  const updates = b.input('updates', [shares, P])

  const productOfBoth = scalar<readonly [Real, Real]>('boundedProduct', 2, (s, [x, y]) =>
    s.multiply(bounded(s, x), bounded(s, y)),
  )
  const squareOf = scalar<readonly [Real]>('boundedSquare', 1, (s, [x]) => {
    const inside = bounded(s, x)
    return s.multiply(inside, inside)
  })
  const isOutside = scalar<readonly [Real]>('isOutside', 1, (s, [x]) =>
    s.select(s.lessOrEqual(s.absolute(x), s.constant(LARGEST)), s.constant(0), s.constant(1)),
  )
  const root = scalar<readonly [Real]>('norm', 1, (s, [x]) => s.sqrt(x))

  const outside = b.reduce('rowSum', 'outside', isOutside, shares, P, [full(updates)])
  const squares = b.reduce('rowSum', 'squares', squareOf, shares, P, [full(updates)])
  const dots = b.reduce('rowSum', 'dots', productOfBoth, shares, P, [full(updates), column(reference)])
  const referenceSquare = b.reduce('rowSum', 'reference.square', squareOf, 1, P, [full(reference)])
  const norms = b.map('norms', root, 1, shares, [full(squares)], [shares])
  const referenceNorm = b.map('reference.norm', root, 1, 1, [full(referenceSquare)], [1])

  const cosine = scalar<readonly [Real, Real, Real, Real]>('weight', 4, (s, [dot, norm, target, outsiders]) => {
    const zero = s.constant(0)
    const least = s.constant(SMALLEST_NORM)
    const value = s.add(s.divide(dot, s.multiply(norm, target)), s.constant(MARGIN))
    const positive = s.select(s.less(zero, value), value, zero)
    const long = s.select(s.less(norm, least), zero, s.select(s.less(target, least), zero, positive))
    return s.select(s.less(zero, outsiders), zero, long)
  })
  const parts = [full(dots), full(norms), row(referenceNorm), full(outside)]
  const weights = b.map('weights', cosine, 1, shares, parts, [shares])

  const counted = b.reduce('rowSum', 'counted', isPositive, 1, shares, [full(weights)])
  const ranks = b.reduce('rowSum', 'ranks', isBefore, shares, shares, [
    row(norms),
    column(norms),
    column(weights),
    rowIndex(shares),
    columnIndex,
  ])
  const middle = scalar<readonly [Real, Real, Real, Real]>('middle', 4, (s, [norm, weight, rank, count]) => {
    const zero = s.constant(0)
    // Of count norms in order the lower middle one has rank ⌊(count − 1)/2⌋.
    const over = s.subtract(s.subtract(count, s.constant(1)), s.add(rank, rank))
    const isMiddle = s.select(s.less(over, zero), zero, s.select(s.less(s.constant(1), over), zero, norm))
    return s.select(s.less(zero, weight), isMiddle, zero)
  })
  const candidates = [full(norms), full(weights), full(ranks), row(counted)]
  const median = b.reduce('rowSum', 'median', middle, 1, shares, candidates)
  const total = b.reduce('rowSum', 'total', identity, 1, shares, [full(weights)])

  const factor = scalar<readonly [Real, Real, Real, Real]>('factor', 4, (s, [weight, norm, half, target]) => {
    const zero = s.constant(0)
    const wanted = s.select(s.less(half, target), half, target)
    return s.select(s.less(zero, weight), s.divide(s.multiply(weight, wanted), norm), zero)
  })
  const factors = b.map(
    'factors',
    factor,
    1,
    shares,
    [full(weights), full(norms), row(median), row(referenceNorm)],
    [shares],
  )
  const scaled = scalar<readonly [Real, Real]>('scaled', 2, (s, [x, by]) => s.multiply(bounded(s, x), by))
  const moved = b.reduce('columnSum', 'moved', scaled, shares, P, [full(updates), row(factors)])
  const ownFactor = scalar<readonly [Real, Real, Real]>('reference.factor', 3, (s, [half, target, sum]) => {
    const wanted = s.select(s.less(half, target), half, target)
    const own = s.multiply(s.multiply(sum, s.constant(REFERENCE_PART)), wanted)
    return s.select(s.less(target, s.constant(SMALLEST_NORM)), s.constant(0), s.divide(own, target))
  })
  const ofReference = [full(median), full(referenceNorm), full(total)]
  const referenceFactor = b.map('reference.factor', ownFactor, 1, 1, ofReference, [1])
  const step = scalar<readonly [Real, Real, Real, Real, Real]>('next', 5, (s, [before, move, g, by, sum]) => {
    const whole = s.add(move, s.multiply(bounded(s, g), by))
    const all = s.add(sum, s.multiply(sum, s.constant(REFERENCE_PART)))
    return s.subtract(before, s.divide(whole, s.select(s.less(s.constant(0), sum), all, s.constant(1))))
  })
  const operands = [full(base), full(moved), full(reference), row(referenceFactor), row(total)]
  b.output('weights', weights)
  b.output('next', b.map('next', step, 1, P, operands, [P]))
  return b.finish()
}

/**
 * Runs the program on one round.
 *
 * @param round.updates one place for each share of the program; absent where nothing takes part
 * @throws PotluckError SHAPE when a length differs; NAN when a number is none
 */
export async function aggregateUpdates(
  engine: Engine,
  program: Program,
  { base, reference, updates }: AggregatedRound,
): Promise<{ next: Float32Array; weights: Float32Array }> {
  const execution = await engine.prepare(program)
  const P = base.length
  const rows = new Float32Array(updates.length * P)
  updates.forEach((update, share) => {
    if (update) rows.set(update, share * P)
  })
  execution.write('base', base)
  execution.write('reference', reference)
  execution.write('updates', rows)
  execution.run()
  return { next: Float32Array.from(execution.read('next')), weights: Float32Array.from(execution.read('weights')) }
}

export type AggregatedRound = {
  readonly base: Float32Array
  readonly reference: Float32Array
  readonly updates: readonly (Float32Array | undefined)[]
}

/** The number where it lies within ±LARGEST, else 0. */
const bounded = (s: ScalarBuilder, x: Real): Real =>
  s.select(s.lessOrEqual(s.absolute(x), s.constant(LARGEST)), x, s.constant(0))

const isPositive = scalar<readonly [Real]>('isPositive', 1, (s, [x]) =>
  s.select(s.less(s.constant(0), x), s.constant(1), s.constant(0)),
)

/** Whether update j, of positive weight, comes before update i in order of norms; of equals the lower number first. */
const isBefore = (() => {
  const s = new ScalarBuilder('isBefore')
  const [own, other, weight, i, j] = [s.input(), s.input(), s.input(), s.integerInput(), s.integerInput()]
  const [zero, one] = [s.constant(0), s.constant(1)]
  const lower = s.select(s.integerLessOrEqual(i, j), zero, one)
  const before = s.select(s.less(other, own), one, s.select(s.equal(other, own), lower, zero))
  return s.finish(s.select(s.less(zero, weight), before, zero))
})()
