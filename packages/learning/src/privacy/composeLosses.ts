import { exactExp64, exactLog64 } from '@potluck/engine'
import { discretiseLoss, type LossMasses } from './discretiseLoss.ts'
import { type ComplexVector, fourier, inverseFourier } from './fourier.ts'
import { type LossWindow, lossVariance, lossWindow } from './lossWindow.ts'
import { checkPrivacySteps, type PrivacyStep } from './PrivacyStep.ts'

/** The summed privacy loss of many releases on a grid, never better than it is. */
export type LossDistribution = {
  readonly spacing: number
  /** Loss of `mass[0]`, in multiples of the spacing. */
  readonly start: number
  readonly mass: Float64Array
  /** What is added to every δ: mass at +∞, what may have left the window, and what rounding in the transform may hide. */
  readonly extra: number
}

/** Probability left outside the window on each side. */
const TAIL = 1e-15
/** How much the grid may widen the loss: this part of its variance. */
const WIDENING = 1e-5
/** What adding up the masses may lose. */
const SUMMING = 1e-14
const LEAST_SIZE = 16_384
const LARGEST_SIZE = 1_048_576

/**
 * The loss of all steps together, for a unit that is removed and for one that is added, by Fourier transform.
 *
 * @param widening part of the variance by which the grid may widen the loss; smaller is tighter and slower
 * @throws PotluckError BAD_PRIVACY
 *
 * Cost: two transforms of 2^14 to 2^20 numbers for each kind of step.
 */
export function composeLosses(
  steps: readonly PrivacyStep[],
  widening = WIDENING,
): { readonly remove: LossDistribution; readonly add: LossDistribution } {
  checkPrivacySteps(steps)
  const windows = { remove: lossWindow(steps, 'remove', TAIL), add: lossWindow(steps, 'add', TAIL) }
  const width = Math.max(windows.remove.high - windows.remove.low, windows.add.high - windows.add.low)
  // A point between two of the grid's is spread by h²/6 on average.
  const wanted = Math.sqrt(6 * widening * lossVariance(steps))
  let n = LEAST_SIZE
  while (n < LARGEST_SIZE && width / n > wanted) n *= 2
  // A little more than the window, so that rounding to the grid stays inside.
  const spacing = width / (n - 4)
  const range = ({ low, high }: LossWindow): [number, number] => [
    Math.floor(low / spacing),
    Math.ceil(high / spacing) + 1,
  ]
  const ranges = { remove: range(windows.remove), add: range(windows.add) }
  const kinds = steps.map((step) => ({ step, ...discretiseLoss(step, spacing, n, ranges) }))
  const { sum, rounding } = summed(kinds, n)
  const finished = (direction: 'remove' | 'add', circle: Float64Array): LossDistribution => {
    const { exponent } = windows[direction]
    const [start] = ranges[direction]
    const at = start & (n - 1)
    const mass = new Float64Array(n)
    mass.set(circle.subarray(at))
    mass.set(circle.subarray(0, at), n - at)
    const beyond = kinds.reduce((total, kind) => total + kind.step.steps * kind[direction].beyond, 0)
    const cumulant = kinds.reduce(
      (total, kind) => total + kind.step.steps * gridCumulant(kind[direction], ranges[direction][0], spacing, exponent),
      0,
    )
    const escaped = exactExp64(Math.min(0, cumulant - exponent * (start + n - 1) * spacing))
    return { spacing, start, mass: mass.map((p) => Math.max(0, p)), extra: beyond + escaped + rounding + SUMMING }
  }
  return { remove: finished('remove', sum.re), add: finished('add', sum.im) }
}

type Kind = { readonly step: PrivacyStep; readonly remove: LossMasses; readonly add: LossMasses }

/** The masses of the sum, both directions in one complex vector. */
function summed(kinds: readonly Kind[], n: number): { sum: ComplexVector; rounding: number } {
  const [only] = kinds
  if (kinds.length === 1 && only && only.step.steps === 1) {
    return { sum: { re: only.remove.mass, im: only.add.mass }, rounding: 0 }
  }
  const total = { remove: ones(n / 2 + 1), add: ones(n / 2 + 1) }
  let weight = 0
  for (const { step, remove, add } of kinds) {
    const both: ComplexVector = { re: remove.mass.slice(), im: add.mass.slice() }
    weight += step.steps * Math.sqrt(both.re.reduce((sum, p, i) => sum + p * p + both.im[i]! * both.im[i]!, 0))
    fourier(both)
    for (let k = 0; k <= n / 2; k++) {
      // Of two real vectors in one transform: each is the even or the odd half of it.
      const m = (n - k) & (n - 1)
      const [a, b, c, d] = [both.re[k]!, both.im[k]!, both.re[m]!, both.im[m]!]
      multiplyPower(total.remove, k, (a + c) / 2, (b - d) / 2, step.steps)
      multiplyPower(total.add, k, (b + d) / 2, (c - a) / 2, step.steps)
    }
  }
  const sum: ComplexVector = { re: new Float64Array(n), im: new Float64Array(n) }
  let square = 0
  for (let k = 0; k <= n / 2; k++) {
    const m = (n - k) & (n - 1)
    const [aRe, aIm, bRe, bIm] = [total.remove.re[k]!, total.remove.im[k]!, total.add.re[k]!, total.add.im[k]!]
    square += 2 * (aRe * aRe + aIm * aIm + bRe * bRe + bIm * bIm)
    sum.re[m] = aRe + bIm
    sum.im[m] = bRe - aIm
    sum.re[k] = aRe - bIm
    sum.im[k] = aIm + bRe
  }
  inverseFourier(sum)
  // First order, with each frequency's error taken for the mean one (2^-53 · log2 n · 2-norm of the masses).
  const digits = Math.round(exactLog64(n) / LOG_TWO)
  return { sum, rounding: weight * digits * Math.sqrt(square) * HALF_ULP }
}

// biome-ignore lint/suspicious/noApproximativeNumericConstant: pinned here, not by the platform
const LOG_TWO = 0.6931471805599453
const HALF_ULP = 1 / 9_007_199_254_740_992

const ones = (length: number): ComplexVector => ({
  re: new Float64Array(length).fill(1),
  im: new Float64Array(length),
})

/** Multiplies number `k` of `into` by (re + i·im)^power, by squaring. */
function multiplyPower(into: ComplexVector, k: number, re: number, im: number, power: number): void {
  let [x, y] = [into.re[k]!, into.im[k]!]
  let [a, b] = [re, im]
  for (let rest = power; ; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      const real = x * a - y * b
      y = x * b + y * a
      x = real
    }
    if (rest <= 1) break
    const real = a * a - b * b
    b = 2 * a * b
    a = real
  }
  into.re[k] = x
  into.im[k] = y
}

/** ln Σ p e^(t·loss) of the finite masses: the loss of index i is the one in the circle's window from `start`. */
function gridCumulant({ mass }: LossMasses, start: number, spacing: number, t: number): number {
  const n = mass.length
  let most = Number.NEGATIVE_INFINITY
  const logs: number[] = []
  for (let i = 0; i < n; i++) {
    const p = mass[(start + i) & (n - 1)]!
    if (p <= 0) continue
    const log = exactLog64(p) + t * (start + i) * spacing
    logs.push(log)
    most = Math.max(most, log)
  }
  return most + exactLog64(logs.reduce((sum, log) => sum + exactExp64(log - most), 0))
}
