import type { Strides, Tensor } from '../program/Program.ts'
import type { MatmulForm } from '../program/ProgramBuilder.ts'
import type { Tape } from './Tape.ts'

const turned = (s: Strides): Strides => ({ ...s, row: s.column, column: s.row })

/**
 * Grouped products with any index maps; every operand's map must cover its whole tensor, each element once.
 * Gradients: dA = dC·Bᵀ written with A's map, dB = Aᵀ·dC with B's (E-13).
 */
export function matmul(
  tape: Tape,
  label: string,
  form: MatmulForm,
  a: Tensor,
  b: Tensor,
  shape: readonly number[],
): Tensor {
  const { builder } = tape
  const y = builder.matmul(label, form, a, b, shape)
  const { M, N, K } = form
  return tape.record(y, [a, b], (dy) => [
    builder.matmul(
      `${label}.gradientA`,
      { ...form, M, N: K, K: N, a: form.c, b: turned(form.b), c: form.a },
      dy,
      b,
      a.shape,
    ),
    builder.matmul(
      `${label}.gradientB`,
      { ...form, M: K, N, K: M, a: turned(form.a), b: form.c, c: form.b },
      a,
      dy,
      b.shape,
    ),
  ])
}

/** x[R, K] · w[K, N] → [R, N]. */
export function linear(tape: Tape, label: string, x: Tensor, w: Tensor): Tensor {
  const [K = 1, N = 1] = w.shape
  const R = x.shape.slice(0, -1).reduce((product, extent) => product * extent, 1)
  const strides = (row: number): Strides => ({ group: 0, subgroup: 0, row, column: 1 })
  const form = { groups: 1, subgroups: 1, M: R, N, K, a: strides(K), b: strides(N), c: strides(N) }
  return matmul(tape, label, form, x, w, [R, N])
}
