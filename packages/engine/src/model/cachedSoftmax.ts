import { identity, scalar } from '../operators/scalar.ts'
import type { Tensor } from '../program/Program.ts'
import { columnIndex, full, type ProgramBuilder, row } from '../program/ProgramBuilder.ts'
import { exp } from '../scalar/functions.ts'
import type { Real } from '../scalar/ScalarBuilder.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'

/**
 * Row t of `causalSoftmax` alone, t read from `positions`: the same scalar programs over the same columns, so the same
 * bits.
 *
 * @param scores [H, B, L]
 * @param positions i32 [B]
 */
export function cachedSoftmax(
  builder: ProgramBuilder,
  label: string,
  scores: Tensor,
  positions: Tensor,
  scaling: number,
): Tensor {
  const [H = 1, B = 1, L = 1] = scores.shape
  const R = H * B
  const operands = [full(scores), row(positions), columnIndex]
  const maximum = builder.reduce('rowMaximum', `${label}.maximum`, masked(scaling, false), R, L, operands)
  const weights = builder.map(
    `${label}.weights`,
    masked(scaling, true),
    R,
    L,
    [...operands, row(maximum)],
    scores.shape,
  )
  const sum = builder.reduce('rowSum', `${label}.sum`, identity, R, L, [full(weights)])
  return builder.map(label, quotient, R, L, [full(weights), row(sum)], scores.shape)
}

const quotient = scalar<readonly [Real, Real]>('divide', 2, (s, [a, b]) => s.divide(a, b))

/** The masked, scaled score, or with `exponent` its e^(z − maximum). */
function masked(scaling: number, exponent: boolean): ScalarProgram {
  const s = new ScalarBuilder(exponent ? 'causal.weight' : 'causal.score')
  const x = s.input()
  const [t, c] = [s.integerInput(), s.integerInput()]
  const scaled = s.multiply(x, s.constant(scaling))
  const z = s.select(s.integerLessOrEqual(c, t), scaled, s.constant(Number.NEGATIVE_INFINITY))
  return s.finish(exponent ? exp(s, s.subtract(z, s.input())) : z)
}
