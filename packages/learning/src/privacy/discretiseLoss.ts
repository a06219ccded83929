import { exactExp64 } from '@potluck/engine'
import { normalBetween, normalTail } from './normalTail.ts'
import { type Mechanism, outputOfLoss, privacyLoss } from './privacyLoss.ts'

/** Masses of one release's loss at whole multiples of a spacing: index i of n stands for all losses i + n·k. */
export type LossMasses = { readonly mass: Float64Array /** at +∞ */; readonly beyond: number }

/** Standard deviations looked at on either side: P(Z > 9) is 1e-19. */
const REACH = 9

/**
 * One release's loss on a grid, never better than it is, for both directions of adjacency.
 *
 * In each interval [a, b] of the grid the probabilities P and Q of the two neighbours are split between its ends so that both
 * stay what they are: p_b = P·(1 − e^a·Q/P)/(1 − e^−spacing), p_a = P − p_b. The curve δ(ε) is then exact at the grid's points
 * and above the true one between them, so every composition stays above too. Below `low` masses move up to it, above
 * `high` to +∞.
 *
 * Source: connect-the-dots, arXiv:2207.04380; why composition keeps the order: arXiv:2106.08567.
 *
 * @param ranges the least and largest loss that the sum's window holds, in multiples of the spacing
 */
export function discretiseLoss(
  of: Mechanism,
  spacing: number,
  n: number,
  ranges: { readonly remove: readonly [number, number]; readonly add: readonly [number, number] },
): { readonly remove: LossMasses; readonly add: LossMasses } {
  const { noise, rate } = of
  const reach = REACH * noise
  const lowest = Math.floor(privacyLoss(of, -reach) / spacing)
  const highest = Math.ceil(privacyLoss(of, 1 + reach) / spacing)
  const first = Math.max(lowest, Math.min(ranges.remove[0], -ranges.add[1]))
  const last = Math.min(highest, Math.max(ranges.remove[1], -ranges.add[0]))
  const remove = new Circle(n, ranges.remove)
  const add = new Circle(n, ranges.add)
  const up = 1 - exactExp64(-spacing)
  let x = outputOfLoss(of, first * spacing)
  // What lies below the first point: with a unit removed it moves up to that point, with one added to +∞.
  const belowFirst = normalTail(-x / noise)
  remove.put(first, mixed(rate, belowFirst, normalTail((1 - x) / noise)))
  add.beyond += belowFirst
  for (let i = first; i < last; i++) {
    const next = outputOfLoss(of, (i + 1) * spacing)
    const without = normalBetween(x / noise, next / noise)
    const joined = mixed(rate, without, normalBetween((x - 1) / noise, (next - 1) / noise))
    // The ratio's logarithm lies in the interval; rounding may put it just outside.
    if (joined > 0) {
      const upper = between01((1 - (exactExp64(i * spacing) * without) / joined) / up)
      remove.put(i, (1 - upper) * joined)
      remove.put(i + 1, upper * joined)
    }
    if (without > 0) {
      const upper = between01((1 - (exactExp64(-(i + 1) * spacing) * joined) / without) / up)
      add.put(-i - 1, (1 - upper) * without)
      add.put(-i, upper * without)
    }
    x = next
  }
  const aboveLast = normalTail(x / noise)
  add.put(-last, aboveLast)
  remove.beyond += mixed(rate, aboveLast, normalTail((x - 1) / noise))
  return { remove, add }
}

/** Masses being put down; n is a power of two. */
class Circle implements LossMasses {
  readonly mass: Float64Array
  beyond = 0
  readonly #range: readonly [number, number]

  constructor(n: number, range: readonly [number, number]) {
    this.mass = new Float64Array(n)
    this.#range = range
  }

  put(at: number, p: number): void {
    const [low, high] = this.#range
    if (at > high) this.beyond += p
    else this.mass[Math.max(at, low) & (this.mass.length - 1)]! += p
  }
}

const mixed = (rate: number, without: number, joined: number): number => (1 - rate) * without + rate * joined
const between01 = (x: number): number => Math.min(1, Math.max(0, x))
