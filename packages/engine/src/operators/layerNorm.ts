import type { Tensor } from '../program/Program.ts'
import { column, full, row } from '../program/ProgramBuilder.ts'
import type { Real } from '../scalar/ScalarBuilder.ts'
import { identity, type One, scalar } from './scalar.ts'
import type { Tape } from './Tape.ts'

/** Dimensionless, inside the root; 1e-5 in every released config. */
const epsilon = 1e-5

/**
 * Moves each row of `x` to mean 0 and variance 1, then applies a per-channel gain and bias.
 *
 *   μ[r] = Σ_c x[r,c] · (1/C)      inv[r] = 1 / sqrt(Σ_c (x[r,c] − μ[r])² · (1/C) + 1e-5)
 *   y[r,c] = (((x[r,c] − μ[r])·inv[r]) · g[c]) + b[c]
 *   with n = (x − μ)·inv and d = dy·g:  dx = ((d − Σ_c d·(1/C)) − n·(Σ_c d·n·(1/C)))·inv
 *   dg[c] = Σ_r dy·n     db[c] = Σ_r dy
 *
 * @param x [R, C]; g, b [C]
 *
 * Order: row sums by eight strided partials (E-11), sums over r ascending (E-12). Source: arXiv:1607.06450.
 */
export function layerNorm(tape: Tape, label: string, x: Tensor, g: Tensor, b: Tensor): Tensor {
  const { builder } = tape
  const [R = 1, C = 1] = x.shape
  const mean = scalar<One>('mean', 1, (s, [sum]) => s.multiply(sum, s.constant(1 / C)))
  const inverse = scalar<One>('layerNorm.inverse', 1, (s, [sum]) =>
    s.divide(s.constant(1), s.sqrt(s.add(s.multiply(sum, s.constant(1 / C)), s.constant(epsilon)))),
  )
  const averaged = (name: string, sum: Tensor): Tensor => builder.map(name, mean, 1, R, [full(sum)], [R])
  const mu = averaged(`${label}.mean`, builder.reduce('rowSum', `${label}.sum`, identity, R, C, [full(x)]))
  const squares = builder.reduce('rowSum', `${label}.squares`, deviationSquare, R, C, [full(x), row(mu)])
  const inv = builder.map(`${label}.inverse`, inverse, 1, R, [full(squares)], [R])
  const normal = [full(x), row(mu), row(inv)]
  const y = builder.map(label, forward, R, C, [...normal, column(g), column(b)], x.shape)
  return tape.record(y, [x, g, b], (dy, [wantsX, wantsGain, wantsBias]) => {
    const sums = (name: string, of: typeof identity, operands: Parameters<typeof builder.reduce>[5]): Tensor =>
      builder.reduce('columnSum', name, of, R, C, operands, g.shape)
    const gradient = (): Tensor => {
      const operands = [full(dy), column(g), ...normal]
      const sum = builder.reduce('rowSum', `${label}.gradientSum`, scaled, R, C, operands.slice(0, 2))
      const dot = builder.reduce('rowSum', `${label}.gradientDot`, scaledNormal, R, C, operands)
      const k = [averaged(`${label}.gradientMean`, sum), averaged(`${label}.gradientShare`, dot)]
      return builder.map(`${label}.gradient`, backward, R, C, [...operands, ...k.map(row)], x.shape)
    }
    return [
      wantsX ? gradient() : null,
      wantsGain ? sums(`${label}.gradientGain`, gainGradient, [full(dy), ...normal]) : null,
      wantsBias ? sums(`${label}.gradientBias`, identity, [full(dy)]) : null,
    ]
  })
}

type Four = readonly [Real, Real, Real, Real]
type Five = readonly [Real, Real, Real, Real, Real]
type Seven = readonly [Real, Real, Real, Real, Real, Real, Real]

const deviationSquare = scalar<readonly [Real, Real]>('deviationSquare', 2, (s, [x, mu]) => {
  const d = s.subtract(x, mu)
  return s.multiply(d, d)
})
const forward = scalar<Five>('layerNorm', 5, (s, [x, mu, inv, g, b]) =>
  s.add(s.multiply(s.multiply(s.subtract(x, mu), inv), g), b),
)
const scaled = scalar<readonly [Real, Real]>('layerNorm.scaled', 2, (s, [dy, g]) => s.multiply(dy, g))
const scaledNormal = scalar<Five>('layerNorm.dot', 5, (s, [dy, g, x, mu, inv]) =>
  s.multiply(s.multiply(dy, g), s.multiply(s.subtract(x, mu), inv)),
)
const backward = scalar<Seven>('layerNorm.gradient', 7, (s, [dy, g, x, mu, inv, mean, share]) => {
  const n = s.multiply(s.subtract(x, mu), inv)
  return s.multiply(s.subtract(s.subtract(s.multiply(dy, g), mean), s.multiply(n, share)), inv)
})
const gainGradient = scalar<Four>('layerNorm.gainGradient', 4, (s, [dy, x, mu, inv]) =>
  s.multiply(dy, s.multiply(s.subtract(x, mu), inv)),
)
