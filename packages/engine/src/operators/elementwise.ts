import { sizeOf, type Tensor } from '../program/Program.ts'
import { column, full, type OperandOf } from '../program/ProgramBuilder.ts'
import { addition, identity, type One, product, scalar } from './scalar.ts'
import type { Tape } from './Tape.ts'

/** a + b. When b is smaller it is repeated along the leading axes: b[T, C] is added to every a[b, :, :]. */
export function add(tape: Tape, label: string, a: Tensor, b: Tensor): Tensor {
  const { builder } = tape
  const columns = sizeOf(b)
  const rows = sizeOf(a) / columns
  const operand: OperandOf = rows === 1 ? full(b) : column(b)
  const y = builder.map(label, addition, rows, columns, [full(a), operand], a.shape)
  return tape.record(y, [a, b], (dy, [, wantsB]) => {
    if (rows === 1 || !wantsB) return [dy, dy]
    return [dy, builder.reduce('columnSum', `${label}.gradient`, identity, rows, columns, [full(dy)], b.shape)]
  })
}

/** a · b, element by element. */
export function multiply(tape: Tape, label: string, a: Tensor, b: Tensor): Tensor {
  const times = (name: string, x: Tensor, y: Tensor): Tensor =>
    tape.builder.map(name, product, 1, sizeOf(x), [full(x), full(y)], x.shape)
  const y = times(label, a, b)
  return tape.record(y, [a, b], (dy, [wantsA, wantsB]) => [
    wantsA ? times(`${label}.gradientA`, dy, b) : null,
    wantsB ? times(`${label}.gradientB`, dy, a) : null,
  ])
}

/** x · factor, with the factor rounded to f32. */
export function scale(tape: Tape, label: string, x: Tensor, factor: number): Tensor {
  const times = scalar<One>('scale', 1, (s, [value]) => s.multiply(value, s.constant(factor)))
  const run = (name: string, of: Tensor): Tensor => tape.builder.map(name, times, 1, sizeOf(of), [full(of)], of.shape)
  return tape.record(run(label, x), [x], (dy) => [run(`${label}.gradient`, dy)])
}
