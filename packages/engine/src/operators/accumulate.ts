import { sizeOf, type Tensor } from '../program/Program.ts'
import { full, type ProgramBuilder } from '../program/ProgramBuilder.ts'
import { addition } from './scalar.ts'

/**
 * Gradients of a batch cut into parts: each total plus the gradient of this part, total first. With totals that start at
 * +0 and parts taken in order the sum is ((g0 + g1) + g2) + …
 */
export function accumulate(
  builder: ProgramBuilder,
  label: string,
  totals: readonly Tensor[],
  gradients: readonly Tensor[],
): Tensor[] {
  return gradients.map((gradient, i) => {
    const total = totals[i]!
    return builder.map(`${label}${i}`, addition, 1, sizeOf(gradient), [full(total), full(gradient)], gradient.shape)
  })
}
