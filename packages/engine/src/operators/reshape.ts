import type { Tensor } from '../program/Program.ts'
import type { Tape } from './Tape.ts'

/** The same elements under another shape of equal size; nothing is computed or copied. */
export function reshape(tape: Tape, label: string, x: Tensor, shape: readonly number[]): Tensor {
  return tape.record(tape.builder.view(label, x, 0, shape), [x], (dy) => [
    tape.builder.view(`${label}.gradient`, dy, 0, x.shape),
  ])
}
