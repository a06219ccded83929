import { sizeOf, type Tensor } from '../program/Program.ts'
import { full, row } from '../program/ProgramBuilder.ts'
import { exp, log, sigmoid } from '../scalar/functions.ts'
import { type One, scalar, type Three, type Two } from './scalar.ts'
import type { Tape } from './Tape.ts'

/**
 * The mean squared error of each row: loss[r] = Σ_c (x − target)² · (1/C);   dx = ((x − target)·(2/C))·dloss[r].
 *
 * @param x, target [R, C] or [R]; no gradient goes to the target
 * @returns [R]: give the share of each row in the loss as the seed of the gradients
 *
 * Order: sums by eight strided partials (E-11); 1/C and 2/C rounded to f32.
 */
export function meanSquaredError(tape: Tape, label: string, x: Tensor, target: Tensor): Tensor {
  const slope = (C: number) =>
    scalar<Three>('meanSquaredError.gradient', 3, (s, [value, wanted, dloss]) =>
      s.multiply(s.multiply(s.subtract(value, wanted), s.constant(2 / C)), dloss),
    )
  return rowMean(tape, label, squaredError, slope, x, target)
}

/**
 * The binary cross entropy of logits, in nats, the mean of each row:
 * loss[r] = Σ_c ((max(x, 0) − x·target) + log(1 + e^−|x|)) · (1/C);   dx = ((σ(x) − target)·(1/C))·dloss[r].
 *
 * @param x      [R, C] or [R], logits
 * @param target as x, f32 from 0 to 1; no gradient goes to it
 * @returns [R]
 *
 * Order: sums by eight strided partials (E-11); 1/C rounded to f32.
 */
export function binaryCrossEntropy(tape: Tape, label: string, x: Tensor, target: Tensor): Tensor {
  const slope = (C: number) =>
    scalar<Three>('binaryCrossEntropy.gradient', 3, (s, [value, wanted, dloss]) =>
      s.multiply(s.multiply(s.subtract(sigmoid(s, value), wanted), s.constant(1 / C)), dloss),
    )
  return rowMean(tape, label, logisticLoss, slope, x, target)
}

type Term = typeof squaredError

function rowMean(tape: Tape, label: string, term: Term, slope: (C: number) => Term, x: Tensor, target: Tensor): Tensor {
  const { builder } = tape
  const R = x.shape[0] ?? 1
  const C = sizeOf(x) / R
  const mean = scalar<One>('mean', 1, (s, [sum]) => s.multiply(sum, s.constant(1 / C)))
  const sum = builder.reduce('rowSum', `${label}.sum`, term, R, C, [full(x), full(target)])
  const y = builder.map(label, mean, 1, R, [full(sum)], [R])
  return tape.record(y, [x], (dy) => [
    builder.map(`${label}.gradient`, slope(C), R, C, [full(x), full(target), row(dy)], x.shape),
  ])
}

const squaredError = scalar<Two>('squaredError', 2, (s, [x, target]) => {
  const d = s.subtract(x, target)
  return s.multiply(d, d)
})
const logisticLoss = scalar<Two>('logisticLoss', 2, (s, [x, target]) => {
  const one = s.constant(1)
  const zero = s.constant(0)
  const positive = s.select(s.less(zero, x), x, zero)
  const tail = log(s, s.add(one, exp(s, s.negate(s.absolute(x)))))
  return s.add(s.subtract(positive, s.multiply(x, target)), tail)
})
