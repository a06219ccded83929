import type { Tensor } from '../program/Program.ts'
import { full, row } from '../program/ProgramBuilder.ts'
import { exp } from '../scalar/functions.ts'
import { identity, product, quotient, scalar, type Three, type Two } from './scalar.ts'
import type { Tape } from './Tape.ts'

/**
 * Softmax over the last axis: p = e^(x − max x) / Σ e^(x − max x);   dx = p·(dp − Σ_c p·dp).
 *
 * @param x [..., C]
 *
 * Order: maximum and sums by eight strided partials (E-11).
 */
export function softmax(tape: Tape, label: string, x: Tensor): Tensor {
  const { builder } = tape
  const C = x.shape.at(-1) ?? 1
  const R = x.shape.slice(0, -1).reduce((total, extent) => total * extent, 1)
  const maximum = builder.reduce('rowMaximum', `${label}.maximum`, identity, R, C, [full(x)])
  const weights = builder.map(`${label}.weights`, weight, R, C, [full(x), row(maximum)], x.shape)
  const sum = builder.reduce('rowSum', `${label}.sum`, identity, R, C, [full(weights)])
  const y = builder.map(label, quotient, R, C, [full(weights), row(sum)], x.shape)
  return tape.record(y, [x], (dy) => {
    const dot = builder.reduce('rowSum', `${label}.dot`, product, R, C, [full(y), full(dy)])
    return [builder.map(`${label}.gradient`, gradient, R, C, [full(y), full(dy), row(dot)], x.shape)]
  })
}

const weight = scalar<Two>('softmax.weight', 2, (s, [x, most]) => exp(s, s.subtract(x, most)))
const gradient = scalar<Three>('softmax.gradient', 3, (s, [p, dp, total]) => s.multiply(p, s.subtract(dp, total)))
