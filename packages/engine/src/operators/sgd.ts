import { sizeOf, type Tensor } from '../program/Program.ts'
import { full, type ProgramBuilder, row } from '../program/ProgramBuilder.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'

export type Sgd = {
  /** Share of the last direction that stays, from 0 to below 1. */
  readonly momentum: number
  /** Looks ahead along the new direction. */
  readonly nesterov: boolean
}

/** What changes from step to step, each a tensor of one element. */
export type StepRates = {
  /** Learning rate of the step. */
  readonly rate: Tensor
  /** Learning rate · weight decay, or absent for parameters that do not decay. */
  readonly decay: Tensor | null
}

/**
 * One step of gradient descent with momentum μ on one tensor, as one map with two outputs; weight decay as in AdamW.
 *
 *   m' = μ·m + g     d = nesterov ? g + μ·m' : m'     w' = (w − decay·w) − rate·d
 *
 * @param into where w' and m' go, in that order
 *
 * Source: Sutskever et al. 2013, in the form of PyTorch (dampening 0).
 */
export function sgd(
  builder: ProgramBuilder,
  label: string,
  { momentum, nesterov }: Sgd,
  { rate, decay }: StepRates,
  [w, g, m]: readonly [w: Tensor, gradient: Tensor, m: Tensor],
  into: readonly [w: Tensor, m: Tensor],
): void {
  const s = new ScalarBuilder('sgd')
  const [weight, gradient, before, step] = [s.input(), s.input(), s.input(), s.input()]
  const kept = decay ? s.subtract(weight, s.multiply(s.input(), weight)) : weight
  const mu = s.constant(momentum)
  const after = s.add(s.multiply(mu, before), gradient)
  const direction = nesterov ? s.add(gradient, s.multiply(mu, after)) : after
  const scalar = s.finish(s.subtract(kept, s.multiply(step, direction)), after)
  const operands = [full(w), full(g), full(m), row(rate)]
  builder.mapInto(label, scalar, 1, sizeOf(w), decay ? [...operands, row(decay)] : operands, into)
}
