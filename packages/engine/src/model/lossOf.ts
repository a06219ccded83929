import { crossEntropy } from '../operators/crossEntropy.ts'
import { meanSquaredError } from '../operators/losses.ts'
import type { Tape } from '../operators/Tape.ts'
import type { Tensor } from '../program/Program.ts'
import { columnIndex, full, row } from '../program/ProgramBuilder.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import type { Model } from './Model.ts'

/** The loss of each row [R]: cross entropy in nats, or the squared error averaged over the numbers of the row. */
export function lossOf(tape: Tape, model: Model, outputs: Tensor, targets: Tensor): Tensor {
  return model.target.kind === 'classes'
    ? crossEntropy(tape, 'crossEntropy', outputs, targets)
    : meanSquaredError(tape, 'meanSquaredError', outputs, targets)
}

/**
 * How many classes come before the right one: those with a larger logit, and those of equal logit and lower number.
 * 0 = the right class is the one a greedy choice takes (E-36).
 *
 * @param logits [R, V]
 * @param targets i32 [R]
 * @returns [R]
 */
export function rankOf(tape: Tape, logits: Tensor, targets: Tensor): Tensor {
  const { builder } = tape
  const [R = 1, V = 1] = logits.shape
  const picked = builder.reduce('rowSum', 'rank.picked', pick, R, V, [full(logits), row(targets), columnIndex])
  const operands = [full(logits), row(picked), row(targets), columnIndex]
  return builder.reduce('rowSum', 'rank', before, R, V, operands)
}

const pick = ((): ScalarProgram => {
  const s = new ScalarBuilder('pick')
  const x = s.input()
  return s.finish(s.select(s.integerEqual(s.integerInput(), s.integerInput()), x, s.constant(0)))
})()

const before = ((): ScalarProgram => {
  const s = new ScalarBuilder('rank')
  const [x, picked] = [s.input(), s.input()]
  const [target, c] = [s.integerInput(), s.integerInput()]
  const [none, one] = [s.constant(0), s.constant(1)]
  const equal = s.select(s.equal(x, picked), s.select(s.integerLessOrEqual(target, c), none, one), none)
  return s.finish(s.select(s.less(picked, x), one, equal))
})()
