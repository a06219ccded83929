import { PotluckError } from '@potluck/protocol'
import { MARGIN, REFERENCE_PART, SMALLEST_NORM } from './referenceConstants.ts'
import { LARGEST_ELEMENT } from './soundUpdates.ts'
import { sumOfProducts } from './streamAggregateKernels.ts'

/** 2^40: no sum of squares up to it holds the square of a number beyond ±2^20, for rounding never makes a sum less than a part. */
const LARGEST_SQUARE = LARGEST_ELEMENT * LARGEST_ELEMENT

const round = Math.fround

/** What one pass finds out about an update: its sums (E-11) and whether an element lies outside ±2^20; then the sums are not used. */
export type Measured = { readonly square: number; readonly dot: number; readonly isOutside: boolean }

/** One number for each share, and two of the whole round. */
export type Weighing = {
  readonly weights: Float32Array
  /** Of the weighted sum. */
  readonly factors: Float32Array
  /** The reference's own factor; 0 when no update has weight. */
  readonly referenceFactor: number
  /** Sum of all weights, the reference's included; 1 when there are none. */
  readonly total: number
}

/**
 * The part of the rule with one number for each share (L-13, L-14).
 *
 * @param measured undefined where a share has no update: its weight is 0
 * @param square   sum of the reference's squares
 */
export function weighUpdates(measured: readonly (Measured | undefined)[], square: number): Weighing {
  const target = round(Math.sqrt(square))
  const norms = measured.map((one) => round(Math.sqrt(one?.square ?? 0)))
  const weights = Float32Array.from(measured, (one, i) => {
    if (!one || one.isOutside || norms[i]! < SMALLEST_NORM || target < SMALLEST_NORM) return 0
    const raised = round(round(one.dot / round(norms[i]! * target)) + MARGIN)
    return raised > 0 ? raised : 0
  })
  const counted = norms.filter((_, i) => weights[i]! > 0).toSorted((a, b) => a - b)
  const median = counted[(counted.length - 1) >> 1] ?? 0
  const wanted = median < target ? median : target
  const factors = weights.map((weight, i) => (weight > 0 ? round(weight * wanted) / norms[i]! : 0))
  const heard = sumOfProducts(weights, new Float32Array(weights.length).fill(1))
  const own = round(heard * REFERENCE_PART)
  const referenceFactor = own > 0 ? round(round(own * wanted) / target) : 0
  return { weights, factors, referenceFactor, total: heard > 0 ? round(heard + own) : 1 }
}

/**
 * Whether an element lies outside ±2^20. The sum of squares says no at once for any update of ordinary size.
 *
 * @throws PotluckError NAN when an element is no number
 */
export function isOutside(update: Float32Array, square: number, name: string): boolean {
  if (square <= LARGEST_SQUARE) return false
  const index = update.findIndex(Number.isNaN)
  if (index >= 0) throw new PotluckError('NAN', `${name} holds NaN at element ${index}: leave it out`, { index })
  return update.some((x) => Math.abs(x) > LARGEST_ELEMENT)
}

/** The vector with 0 for every element outside ±2^20. */
export const boundedTo = (vector: Float32Array): Float32Array =>
  vector.map((x) => (Math.abs(x) <= LARGEST_ELEMENT ? x : 0))
