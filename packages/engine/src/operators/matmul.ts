import type { Strides, Tensor } from '../program/Program.ts'
import type { MatmulForm } from '../program/ProgramBuilder.ts'
import { add } from './elementwise.ts'
import type { Tape } from './Tape.ts'

export const turned = (s: Strides): Strides => ({ ...s, row: s.column, column: s.row })

/** One product of row-major matrices: [M, K] · [K, N]. */
export function plainProduct(M: number, K: number, N: number): MatmulForm {
  const strides = (row: number): Strides => ({ group: 0, subgroup: 0, row, column: 1 })
  return { groups: 1, subgroups: 1, M, N, K, a: strides(K), b: strides(N), c: strides(N) }
}

/** The form of dA = dC·Bᵀ, for operands (dC, B), written with A's map. */
export const gradientOfA = (form: MatmulForm): MatmulForm => ({
  ...form,
  N: form.K,
  K: form.N,
  a: form.c,
  b: turned(form.b),
  c: form.a,
})

/** The form of dB = Aᵀ·dC, for operands (A, dC), written with B's map. */
export const gradientOfB = (form: MatmulForm): MatmulForm => ({
  ...form,
  M: form.K,
  K: form.M,
  a: turned(form.a),
  b: form.c,
  c: form.b,
})

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
  return tape.record(y, [a, b], (dy, [wantsA, wantsB]) => [
    wantsA ? builder.matmul(`${label}.gradientA`, gradientOfA(form), dy, b, a.shape) : null,
    wantsB ? builder.matmul(`${label}.gradientB`, gradientOfB(form), a, dy, b.shape) : null,
  ])
}

/** x[..., K] · w[K, N] + bias[N] → [R, N]. The trailing axes of x that make up K count as one: images can be fed flat. */
export function linear(tape: Tape, label: string, x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  const [K = 1, N = 1] = w.shape
  const R = leadingRows(x.shape, K)
  const y = matmul(tape, bias ? `${label}.product` : label, plainProduct(R, K, N), x, w, [R, N])
  return bias ? add(tape, label, y, bias) : y
}

/** Product of the axes in front of the trailing ones that multiply to K; of all but the last where none do. */
function leadingRows(shape: readonly number[], K: number): number {
  const product = (extents: readonly number[]): number => extents.reduce((size, extent) => size * extent, 1)
  const split = shape.findIndex((_, axis) => product(shape.slice(axis)) === K)
  return product(shape.slice(0, split < 0 ? -1 : split))
}
