import type { Tensor } from '../program/Program.ts'
import { columnIndex, full, row } from '../program/ProgramBuilder.ts'
import { exp, log } from '../scalar/functions.ts'
import { type Real, ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import { identity, scalar } from './scalar.ts'
import type { Tape } from './Tape.ts'

/**
 * The cross entropy of each row, in nats: loss[r] = log Σ_c e^(x[r,c] − m[r]) + (m[r] − x[r, target[r]]).
 *
 *   dx[r,c] = (e^(x − m) / Σ − [c = target[r]]) · dloss[r]
 *
 * @param x      [R, V] logits
 * @param target i32 [R], 0 to V − 1
 * @returns [R]
 *
 * Order: maximum and sums by eight strided partials (E-11); the picked logit is a sum with one term that is not +0.
 */
export function crossEntropy(tape: Tape, label: string, x: Tensor, target: Tensor): Tensor {
  const { builder } = tape
  const [R = 1, V = 1] = x.shape
  const m = builder.reduce('rowMaximum', `${label}.maximum`, identity, R, V, [full(x)])
  const total = builder.reduce('rowSum', `${label}.total`, weight, R, V, [full(x), row(m)])
  const picked = builder.reduce('rowSum', `${label}.picked`, pick(), R, V, [full(x), row(target), columnIndex])
  const y = builder.map(label, rowLoss, 1, R, [full(total), full(m), full(picked)], [R])
  const operands = [full(x), row(m), row(total), row(target), columnIndex]
  return tape.record(y, [x], (dy) => [
    builder.map(`${label}.gradient`, logitGradient(), R, V, [...operands, row(dy)], x.shape),
  ])
}

const weight = scalar<[Real, Real]>('softmax.weight', 2, (s, [x, m]) => exp(s, s.subtract(x, m)))
const rowLoss = scalar<[Real, Real, Real]>('crossEntropy.loss', 3, (s, [total, m, picked]) =>
  s.add(log(s, total), s.subtract(m, picked)),
)

function pick(): ScalarProgram {
  const s = new ScalarBuilder('pick')
  const x = s.input()
  const chosen = s.integerEqual(s.integerInput(), s.integerInput())
  return s.finish(s.select(chosen, x, s.constant(0)))
}

function logitGradient(): ScalarProgram {
  const s = new ScalarBuilder('crossEntropy.gradient')
  const [x, m, total] = [s.input(), s.input(), s.input()]
  const chosen = s.integerEqual(s.integerInput(), s.integerInput())
  const p = s.divide(exp(s, s.subtract(x, m)), total)
  return s.finish(s.multiply(s.select(chosen, s.subtract(p, s.constant(1)), p), s.input()))
}
