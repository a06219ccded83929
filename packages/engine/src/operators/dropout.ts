import { PotluckError } from '@potluck/protocol'
import { sizeOf, type Tensor } from '../program/Program.ts'
import { full } from '../program/ProgramBuilder.ts'
import { scalar, type Two } from './scalar.ts'
import type { Tape } from './Tape.ts'

/**
 * Sets a share of the elements to +0 and scales the others by 1/(1 − rate), rounded to f32.
 *
 *   y = noise ≥ rate ? x·(1/(1 − rate)) : +0;   dx the same of dy
 *
 * @param noise uniform numbers in [0, 1), as many as x has elements: an input of the program, drawn anew each step
 * @param rate  share that is dropped, 0 ≤ rate < 1
 */
export function dropout(tape: Tape, label: string, x: Tensor, noise: Tensor, rate: number): Tensor {
  if (!(rate >= 0 && rate < 1)) {
    throw new PotluckError('SHAPE', `dropout ${label}: the rate must be at least 0 and below 1, got ${rate}`)
  }
  const kept = scalar<Two>('dropout', 2, (s, [value, u]) =>
    s.select(s.lessOrEqual(s.constant(rate), u), s.multiply(value, s.constant(1 / (1 - rate))), s.constant(0)),
  )
  const run = (name: string, of: Tensor): Tensor =>
    tape.builder.map(name, kept, 1, sizeOf(of), [full(of), full(noise)], of.shape)
  return tape.record(run(label, x), [x], (dy) => [run(`${label}.gradient`, dy)])
}
