import type { MatmulOperation, Strides } from '../program/Program.ts'

/** A product as a kernel sees it: which of the two inputs stands left, and the strides of all three. */
export type MatmulForm = Pick<MatmulOperation, 'groups' | 'subgroups' | 'M' | 'N' | 'K' | 'a' | 'b' | 'c'> & {
  /** The left operand is the second input. */
  readonly swapped: boolean
}

/** cᵀ = bᵀ·aᵀ when c lies column by column: the same sums in the same order, since a product of two floats commutes. */
export function rowMajor(operation: MatmulOperation): MatmulForm {
  const { groups, subgroups, M, N, K, a, b, c } = operation
  if (c.column === 1 || c.row !== 1) return { groups, subgroups, M, N, K, a, b, c, swapped: false }
  return { groups, subgroups, M: N, N: M, K, a: turned(b), b: turned(a), c: turned(c), swapped: true }
}

const turned = (s: Strides): Strides => ({ ...s, row: s.column, column: s.row })
