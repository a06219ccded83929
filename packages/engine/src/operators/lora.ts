import type { Tensor } from '../program/Program.ts'
import { add, scale } from './elementwise.ts'
import { linear } from './matmul.ts'
import type { Tape } from './Tape.ts'

/**
 * A linear layer with a low-rank correction: x·w + ((x·a)·b)·factor. Ask the tape for the gradients of `a` and `b` alone
 * and nothing is computed for `w`.
 *
 * @param x [R, K]
 * @param w [K, N], frozen as a rule
 * @param a [K, rank], b [rank, N]; start b at zero, so that training starts from the frozen model
 * @param factor often alpha/rank; rounded to f32
 *
 * Source: arXiv:2106.09685.
 */
export function lora(tape: Tape, label: string, x: Tensor, w: Tensor, a: Tensor, b: Tensor, factor: number): Tensor {
  const frozen = linear(tape, `${label}.frozen`, x, w)
  const down = linear(tape, `${label}.down`, x, a)
  const up = linear(tape, `${label}.up`, down, b)
  return add(tape, label, frozen, scale(tape, `${label}.scaled`, up, factor))
}
