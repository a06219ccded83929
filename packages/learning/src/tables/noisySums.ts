import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, PotluckError, uint64, utf8 } from '@potluck/protocol'
import { noiseShare } from '../privacy/userNoise.ts'
import { encodeFixed, type FixedPoint } from '../secureSum/fixedPoint.ts'
import type { SumContext } from '../secureSum/maskedSum.ts'
import { wordStream } from '../secureSum/wordStream.ts'
import { sigmoid } from './logistic.ts'
import { type NewtonState, solvePositiveDefinite } from './newton.ts'
import type { Scaling } from './scaling.ts'
import type { TableRow } from './tableRow.ts'
import type { TableSchema } from './tableSchema.ts'

/** Noise that hides single rows in every sum of a private training (L-87). */
export type RowNoise = {
  /** Deviation of the noise in a sum over what one row can change in it. */
  readonly multiplier: number
  /** Members who may keep their part of the noise back, or tell it. Below the number of members. */
  readonly dishonest: number
}

/** The whole steps of a noised sum: 2^-20, far below the noise. */
export const NOISY_FRACTION_BITS = 20
/** What the row count may change a Newton sum by; gradient and Hessian may by 1 each, all together by √(1 + 1 + 1/4). */
const COUNT_PART = 0.5
const NEWTON_CHANGE = 1.5
/** A variance is taken for so much of the squared half range at least: noise may leave it below 0. */
const LEAST_VARIANCE = 1 / 64

/** Middle and half of each input's public range, which is -1 to 1 then. */
function rangesOf(schema: TableSchema): { middle: number; half: number }[] {
  return schema.columns.flatMap((column) => {
    if (column.kind === 'number')
      return [{ middle: (column.min + column.max) / 2, half: (column.max - column.min) / 2 }]
    return column.kind === 'category' ? column.levels.slice(1).map(() => ({ middle: 0.5, half: 0.5 })) : []
  })
}

/** 1 count, d sums, d squares. */
export const noisyStatisticsLength = (inputs: number): number => 1 + 2 * inputs
/** Gradient, upper triangle of the Hessian, count. */
export const noisyNewtonLength = (inputs: number): number => inputs + 1 + ((inputs + 1) * (inputs + 2)) / 2 + 1

/**
 * What one member adds to a noised scaling sum, before the noise: [count, Σv, Σv²] over its rows, with inputs as parts v of their public
 * range, all divided by √(1 + 2d), so that one row changes it by at most 1. An input beyond its range counts as its end.
 */
export function boundedStatistics(rows: readonly TableRow[], schema: TableSchema): Float64Array {
  const ranges = rangesOf(schema)
  const d = ranges.length
  const longest = Math.sqrt(1 + 2 * d)
  const out = new Float64Array(1 + 2 * d)
  for (const { inputs } of rows) {
    out[0]! += 1 / longest
    for (const [j, { middle, half }] of ranges.entries()) {
      const v = Math.min(1, Math.max(-1, (inputs[j]! - middle) / half))
      out[1 + j]! += v / longest
      out[1 + d + j]! += (v * v) / longest
    }
  }
  return out
}

/** Mean and deviation of each input from a noised sum of `boundedStatistics`. */
export function noisyScaling(sum: Float64Array, schema: TableSchema): Scaling {
  const ranges = rangesOf(schema)
  const d = ranges.length
  const count = Math.max(1, sum[0]! * Math.sqrt(1 + 2 * d))
  const part = (at: number): number => (sum[at]! * Math.sqrt(1 + 2 * d)) / count
  const means = ranges.map((_, j) => Math.min(1, Math.max(-1, part(1 + j))))
  return {
    mean: ranges.map(({ middle, half }, j) => middle + half * means[j]!),
    sd: ranges.map(
      ({ half }, j) => half * Math.sqrt(Math.max(LEAST_VARIANCE, part(1 + d + j) - means[j]! * means[j]!)),
    ),
  }
}

/** Longest row that counts in full: what standardised inputs and the intercept have on average. */
const longestRow = (inputs: number): number => Math.sqrt(inputs + 1)

/**
 * What one member adds to a noised Newton sum, before the noise: gradient, upper triangle of the Hessian, count. Rows are cut to length
 * R = √(d + 1); the gradient of one is then at most R long and its Hessian R²/4, by which both are divided, so that one row changes the
 * vector by at most √(1 + 1 + 1/4), which divides all of it: by at most 1 then. The loss is not told.
 */
export function boundedNewtonVector(
  rows: readonly TableRow[],
  weights: readonly number[],
  scaling: Scaling,
): Float64Array {
  const n = weights.length
  const R = longestRow(n - 1)
  const out = new Float64Array(noisyNewtonLength(n - 1))
  const x = new Float64Array(n)
  for (const { inputs, label } of rows) {
    boundedRow(inputs, scaling, R, x)
    let z = 0
    for (let j = 0; j < n; j++) z += weights[j]! * x[j]!
    const p = sigmoid(z)
    const [slope, bend] = [(p - label) / (R * NEWTON_CHANGE), (p * (1 - p) * 4) / (R * R * NEWTON_CHANGE)]
    let at = n
    for (let i = 0; i < n; i++) {
      out[i]! += slope * x[i]!
      for (let j = i; j < n; j++) out[at++]! += bend * x[i]! * x[j]!
    }
    out[at]! += COUNT_PART / NEWTON_CHANGE
  }
  return out
}

/** Standardised inputs and the intercept's 1, cut to length R. */
function boundedRow(inputs: Float64Array, { mean, sd }: Scaling, R: number, x: Float64Array): void {
  const d = inputs.length
  let square = 1
  for (let j = 0; j < d; j++) {
    x[j] = (inputs[j]! - mean[j]!) / sd[j]!
    square += x[j]! * x[j]!
  }
  x[d] = 1
  if (square <= R * R) return
  const shorter = R / Math.sqrt(square)
  for (let j = 0; j <= d; j++) x[j] = x[j]! * shorter
}

/**
 * The state after a noised Newton step. The Hessian is raised by what its noise may lower an eigenvalue by, 2·√(d + 1) deviations of an
 * entry, and by more where it still has no factor: a step that is too short does no harm, one that is too long does.
 *
 * @param multiplier of the sum's noise
 */
export function noisyNewtonStep(sum: Float64Array, state: NewtonState, l2: number, multiplier: number): NewtonState {
  const { weights } = state
  const n = weights.length
  const R = longestRow(n - 1)
  const count = Math.max(1, (sum[sum.length - 1]! * NEWTON_CHANGE) / COUNT_PART)
  const bend = ((R * R) / 4) * NEWTON_CHANGE
  const gradient = Float64Array.from({ length: n }, (_, i) => {
    return (sum[i]! * R * NEWTON_CHANGE) / count + (i < n - 1 ? l2 : 0) * weights[i]!
  })
  for (let raised = (2 * multiplier * bend * Math.sqrt(n)) / count; ; raised *= 2) {
    const hessian = new Float64Array(n * n)
    let at = n
    for (let i = 0; i < n; i++) {
      for (let j = i; j < n; j++) {
        const entry = (sum[at++]! * bend) / count + (i === j ? raised + (i < n - 1 ? l2 : 0) : 0)
        hessian[i * n + j] = entry
        hessian[j * n + i] = entry
      }
    }
    try {
      const step = solvePositiveDefinite(hessian, gradient)
      return { ...state, weights: weights.map((w, j) => w - step[j]!), from: null, converged: false }
    } catch (error) {
      if (!(error instanceof PotluckError && error.code === 'NOT_POSITIVE_DEFINITE')) throw error
    }
  }
}

/**
 * The words of a bounded vector with this member's part of the noise: the same for the same secret and context, so that what is sent
 * again is not drawn again (L-87).
 */
export function noisyWords(
  values: Float64Array,
  { multiplier, dishonest }: RowNoise,
  format: FixedPoint,
  context: SumContext,
  secret: Uint8Array,
): BigUint64Array {
  const info = concatBytes(
    utf8('potluck/row-noise/1'),
    uint64(context.round),
    uint64(context.attempt),
    utf8(context.job),
  )
  const next = wordStream(hkdf(sha256, secret, undefined, info, 32))
  // Rounding the sums of two tables that differ in a row moves each number by a step at most.
  const clipSteps = Number(1n << BigInt(format.fractionBits)) + Math.sqrt(values.length)
  const noise = noiseShare(values.length, { clipSteps, multiplier, members: format.members, dishonest }, next)
  return encodeFixed(values, format).map((word, i) => BigInt.asUintN(64, word + noise[i]!))
}
