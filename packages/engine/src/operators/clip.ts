import { sizeOf, type Tensor } from '../program/Program.ts'
import { full, type ProgramBuilder, row } from '../program/ProgramBuilder.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import { identity, scalar, square, type Two } from './scalar.ts'

/** Sums that one map adds up; keeps scalar programs short. */
const TERMS_AT_ONCE = 16

/**
 * Σ of the squares of a tensor, as a tensor of one element: over the last axis first, then over the sums of the rows,
 * each by eight strided partials (E-11).
 */
export function squaredNorm(builder: ProgramBuilder, label: string, x: Tensor): Tensor {
  const C = x.shape.at(-1) ?? 1
  const R = sizeOf(x) / C
  const rows = builder.reduce('rowSum', `${label}.rows`, square, R, C, [full(x)])
  return R === 1 ? rows : builder.reduce('rowSum', label, identity, 1, R, [full(rows)])
}

/**
 * The length of all gradients taken as one vector: sqrt(((s0 + s1) + s2) + …), s_i the squared norm of tensor i.
 *
 * @returns f32 [1]
 */
export function globalNorm(builder: ProgramBuilder, label: string, gradients: readonly Tensor[]): Tensor {
  const squares = gradients.map((gradient, i) => squaredNorm(builder, `${label}.squares${i}`, gradient))
  let total: Tensor | undefined
  for (let at = 0; at < squares.length; at += TERMS_AT_ONCE) {
    const terms = [...(total ? [total] : []), ...squares.slice(at, at + TERMS_AT_ONCE)]
    const s = new ScalarBuilder('sumOfTerms')
    const sum = terms.map(() => s.input()).reduce((left, right) => s.add(left, right))
    const isLast = at + TERMS_AT_ONCE >= squares.length
    const result = s.finish(isLast ? s.sqrt(sum) : sum)
    total = builder.map(isLast ? label : `${label}.total${at}`, result, 1, 1, terms.map(full), [1])
  }
  return total ?? builder.tensor(label, [1])
}

/**
 * The gradients, made shorter together when their norm exceeds `maxNorm`: g·f, f = maxNorm < norm ? maxNorm/norm : 1.
 *
 * @param norm f32 [1], as `globalNorm` gives
 */
export function clipByNorm(
  builder: ProgramBuilder,
  label: string,
  gradients: readonly Tensor[],
  norm: Tensor,
  maxNorm: number,
): Tensor[] {
  const clip = scalar<Two>('clip', 2, (s, [g, length]) => {
    const most = s.constant(maxNorm)
    return s.multiply(g, s.select(s.less(most, length), s.divide(most, length), s.constant(1)))
  })
  return gradients.map((gradient, i) =>
    builder.map(`${label}${i}`, clip, 1, sizeOf(gradient), [full(gradient), row(norm)], gradient.shape),
  )
}
