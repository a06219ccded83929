import { sizeOf, type Tensor } from '../program/Program.ts'
import { full } from '../program/ProgramBuilder.ts'
import { sigmoid } from '../scalar/functions.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import { scalar, type Two } from './scalar.ts'
import type { Tape } from './Tape.ts'

/**
 * The gate of a llama layer as one map: y = (gate·σ(gate))·up. Nothing but gate and up is kept for the gradient, one
 * tensor less than with `activate` and `multiply`.
 *
 *   dgate = (dy·up)·(σ·(1 + gate·(1 − σ)))     dup = dy·(gate·σ)
 *
 * @param gate, up of equal shape
 *
 * Source: arXiv:2002.05202.
 */
export function swiglu(tape: Tape, label: string, gate: Tensor, up: Tensor): Tensor {
  const { builder } = tape
  const size = sizeOf(gate)
  const y = builder.map(label, forward, 1, size, [full(gate), full(up)], gate.shape)
  return tape.record(y, [gate, up], (dy) => {
    const [dgate, dup] = [
      builder.tensor(`${label}.gradientGate`, gate.shape),
      builder.tensor(`${label}.gradientUp`, up.shape),
    ]
    builder.mapInto(`${label}.gradient`, backward, 1, size, [full(gate), full(up), full(dy)], [dgate, dup])
    return [dgate, dup]
  })
}

const forward = scalar<Two>('swiglu', 2, (s, [gate, up]) => s.multiply(s.multiply(gate, sigmoid(s, gate)), up))

const backward = ((): ScalarProgram => {
  const s = new ScalarBuilder('swiglu.gradient')
  const [gate, up, dy] = [s.input(), s.input(), s.input()]
  const sigma = sigmoid(s, gate)
  const one = s.constant(1)
  const slope = s.multiply(sigma, s.add(one, s.multiply(gate, s.subtract(one, sigma))))
  return s.finish(s.multiply(s.multiply(dy, up), slope), s.multiply(dy, s.multiply(gate, sigma)))
})()
