import type { Tensor } from '../program/Program.ts'
import { column, full, row } from '../program/ProgramBuilder.ts'
import type { Real } from '../scalar/ScalarBuilder.ts'
import { scalar, square } from './scalar.ts'
import type { Tape } from './Tape.ts'

/** Dimensionless, inside the root; 1e-5 in every released config. */
const epsilon = 1e-5

/**
 * Scales each row of `x` to unit root-mean-square, then by a per-channel gain.
 *
 *   y[r,c] = (x[r,c] · inv[r]) · g[c],   inv[r] = 1 / sqrt(Σ_c x[r,c]² · (1/C) + 1e-5)
 *   dx[r,c] = (dy[r,c]·g[c])·inv[r] − x[r,c]·k[r],   k[r] = ((Σ_c (dy·g)·x · inv)·(inv·inv))·(1/C)
 *   dg[c] = Σ_r dy[r,c]·(x[r,c]·inv[r])
 *
 * @param x [R, C]
 * @param g [C]
 *
 * Order: row sums by eight strided partials (E-11), the sum over r ascending (E-12). Source: arXiv:1910.07467.
 */
export function rmsNorm(tape: Tape, label: string, x: Tensor, g: Tensor): Tensor {
  const { builder } = tape
  const [R = 1, C = 1] = x.shape
  const squares = builder.reduce('rowSum', `${label}.squares`, square, R, C, [full(x)])
  const inverse = scalar<[Real]>('rmsNorm.inverse', 1, (s, [sum]) =>
    s.divide(s.constant(1), s.sqrt(s.add(s.multiply(sum, s.constant(1 / C)), s.constant(epsilon)))),
  )
  const inv = builder.map(`${label}.inverse`, inverse, 1, R, [full(squares)], [R])
  const y = builder.map(label, normalize, R, C, [full(x), row(inv), column(g)], x.shape)
  return tape.record(y, [x, g], (dy) => {
    const dot = builder.reduce('rowSum', `${label}.dot`, triple, R, C, [full(dy), column(g), full(x)])
    const factor = scalar<[Real, Real]>('rmsNorm.factor', 2, (s, [sum, i]) =>
      s.multiply(s.multiply(s.multiply(sum, i), s.multiply(i, i)), s.constant(1 / C)),
    )
    const k = builder.map(`${label}.factor`, factor, 1, R, [full(dot), full(inv)], [R])
    const operands = [full(dy), column(g), row(inv), full(x), row(k)]
    return [
      builder.map(`${label}.gradient`, gradient, R, C, operands, x.shape),
      builder.reduce('columnSum', `${label}.gradientGain`, gainGradient, R, C, [full(dy), full(x), row(inv)], g.shape),
    ]
  })
}

const normalize = scalar<[Real, Real, Real]>('rmsNorm', 3, (s, [x, i, g]) => s.multiply(s.multiply(x, i), g))
const triple = scalar<[Real, Real, Real]>('tripleProduct', 3, (s, [dy, g, x]) => s.multiply(s.multiply(dy, g), x))
const gradient = scalar<[Real, Real, Real, Real, Real]>('rmsNorm.gradient', 5, (s, [dy, g, i, x, k]) =>
  s.subtract(s.multiply(s.multiply(dy, g), i), s.multiply(x, k)),
)
const gainGradient = scalar<[Real, Real, Real]>('rmsNorm.gainGradient', 3, (s, [dy, x, i]) =>
  s.multiply(dy, s.multiply(x, i)),
)
