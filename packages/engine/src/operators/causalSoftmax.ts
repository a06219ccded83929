import type { Tensor } from '../program/Program.ts'
import { columnIndex, full, row, rowIndex } from '../program/ProgramBuilder.ts'
import { exp } from '../scalar/functions.ts'
import { type Integer, type Real, ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import { identity, product, quotient, scalar } from './scalar.ts'
import type { Tape } from './Tape.ts'

/**
 * Softmax over the past: row t of each T by T block gives weight only to columns 0 to t.
 *
 *   z = x·scale where column ≤ t, else −infinity;   p = e^(z − max z) / Σ e^(z − max z);   masked p are +0
 *   dx = (p·(dp − Σ_c p·dp))·scale
 *
 * @param x [..., T, T] scores
 *
 * Order: maximum and sums by eight strided partials over all T columns, the masked ones included (E-11).
 */
export function causalSoftmax(tape: Tape, label: string, x: Tensor, scaling: number): Tensor {
  const { builder } = tape
  const T = x.shape.at(-1) ?? 1
  const R = x.shape.slice(0, -1).reduce((total, extent) => total * extent, 1)
  const operands = [full(x), rowIndex(T), columnIndex]
  const maximum = builder.reduce('rowMaximum', `${label}.maximum`, masked(scaling, false), R, T, operands)
  const weights = builder.map(`${label}.weights`, masked(scaling, true), R, T, [...operands, row(maximum)], x.shape)
  const sum = builder.reduce('rowSum', `${label}.sum`, identity, R, T, [full(weights)])
  const y = builder.map(label, quotient, R, T, [full(weights), row(sum)], x.shape)
  const backward = scalar<[Real, Real, Real]>('softmax.gradient', 3, (s, [p, dp, total]) =>
    s.multiply(s.multiply(p, s.subtract(dp, total)), s.constant(scaling)),
  )
  return tape.record(y, [x], (dy) => {
    const dot = builder.reduce('rowSum', `${label}.dot`, product, R, T, [full(y), full(dy)])
    return [builder.map(`${label}.gradient`, backward, R, T, [full(y), full(dy), row(dot)], x.shape)]
  })
}

/** The masked, scaled score, or with `exponent` its e^(z − maximum). */
function masked(scaling: number, exponent: boolean): ScalarProgram {
  const s = new ScalarBuilder(exponent ? 'causal.weight' : 'causal.score')
  const x = s.input()
  const t: Integer = s.integerInput()
  const c: Integer = s.integerInput()
  const scaled = s.multiply(x, s.constant(scaling))
  const z = s.select(s.integerLessOrEqual(c, t), scaled, s.constant(Number.NEGATIVE_INFINITY))
  return s.finish(exponent ? exp(s, s.subtract(z, s.input())) : z)
}
