import type { Tensor } from '../program/Program.ts'
import type { Tape } from './Tape.ts'

/** table[V, C], index i32 [R] → [R, C]. The gradient adds rows of equal index in ascending r (E-12). */
export function embedding(tape: Tape, label: string, table: Tensor, index: Tensor): Tensor {
  const y = tape.builder.gatherRows(label, table, index)
  return tape.record(y, [table], (dy) => [
    tape.builder.scatterAddRows(`${label}.gradient`, dy, index, table.shape[0] ?? 1),
  ])
}
