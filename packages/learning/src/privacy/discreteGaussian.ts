import { PotluckError } from '@potluck/protocol'
import { drawBelow } from '../secureSum/wordStream.ts'

/** A variance as a fraction of whole numbers. */
export type Fraction = { readonly top: bigint; readonly bottom: bigint }

/**
 * A whole number with probability proportional to e^(−x² / (2·variance)), exactly, by integers alone: noise for the ring of a
 * masked sum, with no rounding for an attacker to read.
 *
 *   t = ⌊σ⌋ + 1;  x from the discrete Laplace of scale t;  kept with probability e^(−(|x| − σ²/t)² / (2σ²))
 *
 * @param variance above 0, below 2^80
 * @param next     secret random words (`wordStream`)
 *
 * Cost: some 40 words and 10 µs. Source: Canonne, Kamath, Steinke, arXiv:2004.00010, algorithms 1 to 3.
 */
export function discreteGaussian({ top, bottom }: Fraction, next: () => bigint): bigint {
  if (!(top > 0n && bottom > 0n && top < bottom << 80n)) {
    throw new PotluckError('BAD_PRIVACY', `the variance must be above 0 and below 2^80, got ${top}/${bottom}`)
  }
  const t = floorRoot(top / bottom) + 1n
  for (;;) {
    const x = discreteLaplace(t, next)
    // (|x| − σ²/t)² / (2σ²) with σ² = top/bottom, over one denominator.
    const off = (x < 0n ? -x : x) * t * bottom - top
    if (happens({ top: off * off, bottom: 2n * top * bottom * t * t }, next)) return x
  }
}

/** P(x) ∝ e^(−|x|/t). */
function discreteLaplace(t: bigint, next: () => bigint): bigint {
  for (;;) {
    const u = below(t, next)
    if (!happens({ top: u, bottom: t }, next)) continue
    let turns = 0n
    while (happens({ top: 1n, bottom: 1n }, next)) turns++
    const magnitude = u + t * turns
    const isNegative = (next() & 1n) === 1n
    // 0 has one sign only.
    if (magnitude === 0n && isNegative) continue
    return isNegative ? -magnitude : magnitude
  }
}

/** True with probability e^(−γ), γ ≥ 0: whole parts one by one, the rest by the alternating series. */
function happens({ top, bottom }: Fraction, next: () => bigint): boolean {
  let rest = top
  while (rest > bottom) {
    if (!happens({ top: 1n, bottom: 1n }, next)) return false
    rest -= bottom
  }
  // The first k at which a coin of probability γ/k fails is odd with probability e^(−γ).
  let k = 1n
  while (below(bottom * k, next) < rest) k++
  return k % 2n === 1n
}

const WORD = 1n << 64n

/** Uniform from 0 to bound − 1, for bounds of any size. */
function below(bound: bigint, next: () => bigint): bigint {
  if (bound <= 1n << 53n) return BigInt(drawBelow(next, Number(bound)))
  let words = 1n
  let reach = WORD
  while (reach < bound) {
    reach *= WORD
    words++
  }
  const usable = reach - (reach % bound)
  for (;;) {
    let value = 0n
    for (let i = 0n; i < words; i++) value = value * WORD + next()
    if (value < usable) return value % bound
  }
}

function floorRoot(value: bigint): bigint {
  if (value < 2n) return value
  let guess = 1n << BigInt((value.toString(2).length + 1) >> 1)
  for (;;) {
    const better = (guess + value / guess) >> 1n
    if (better >= guess) return guess
    guess = better
  }
}
