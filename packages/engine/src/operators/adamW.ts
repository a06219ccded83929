import { sizeOf, type Tensor } from '../program/Program.ts'
import { full, type ProgramBuilder, row } from '../program/ProgramBuilder.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'

export type AdamW = {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

/** What changes from step to step, each a tensor of one element. */
export type AdamWRates = {
  /** Learning rate of the step. */
  readonly rate: Tensor
  /** Learning rate · weight decay, or absent for parameters that do not decay. */
  readonly decay: Tensor | null
  /** 1 / (1 − beta1^t) and 1 / (1 − beta2^t), t from 1. */
  readonly correction1: Tensor
  readonly correction2: Tensor
}

/**
 * One step of AdamW on one tensor (Loshchilov & Hutter, arXiv:1711.05101), as one map with three outputs.
 *
 *   m' = β1·m + (1 − β1)·g     v' = β2·v + (1 − β2)·(g·g)
 *   w' = (w − decay·w) − rate·((m'·correction1) / (sqrt(v'·correction2) + ε))
 *
 * @param into where w', m', v' go, in that order
 */
export function adamW(
  builder: ProgramBuilder,
  label: string,
  { beta1, beta2, epsilon }: AdamW,
  { rate, decay, correction1, correction2 }: AdamWRates,
  [w, g, m, v]: readonly [w: Tensor, gradient: Tensor, m: Tensor, v: Tensor],
  into: readonly [w: Tensor, m: Tensor, v: Tensor],
): void {
  const s = new ScalarBuilder('adamW')
  const [weight, gradient, first, second] = [s.input(), s.input(), s.input(), s.input()]
  const [c1, c2, step] = [s.input(), s.input(), s.input()]
  const kept = decay ? s.subtract(weight, s.multiply(s.input(), weight)) : weight
  const m1 = s.add(s.multiply(s.constant(beta1), first), s.multiply(s.constant(1 - beta1), gradient))
  const v1 = s.add(
    s.multiply(s.constant(beta2), second),
    s.multiply(s.constant(1 - beta2), s.multiply(gradient, gradient)),
  )
  const direction = s.divide(s.multiply(m1, c1), s.add(s.sqrt(s.multiply(v1, c2)), s.constant(epsilon)))
  const scalar = s.finish(s.subtract(kept, s.multiply(step, direction)), m1, v1)
  const operands = [full(w), full(g), full(m), full(v), row(correction1), row(correction2), row(rate)]
  builder.mapInto(label, scalar, 1, sizeOf(w), decay ? [...operands, row(decay)] : operands, into)
}
