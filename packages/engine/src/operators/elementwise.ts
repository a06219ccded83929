import { sizeOf, type Tensor } from '../program/Program.ts'
import { column, full, type OperandOf } from '../program/ProgramBuilder.ts'
import { exp, sigmoid, tanh } from '../scalar/functions.ts'
import { type Real, ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import type { Tape } from './Tape.ts'

/** A scalar program written in one expression: `scalar('add', 2, (s, [a, b]) => s.add(a, b))`. */
export function scalar<T extends readonly Real[]>(
  name: string,
  inputs: T['length'],
  write: (s: ScalarBuilder, inputs: T) => Real,
): ScalarProgram {
  const s = new ScalarBuilder(name)
  return s.finish(write(s, Array.from({ length: inputs }, () => s.input()) as readonly Real[] as T))
}

type One = readonly [Real]
type Two = readonly [Real, Real]

export const identity = scalar<One>('identity', 1, (_, [x]) => x)
export const addition = scalar<Two>('add', 2, (s, [a, b]) => s.add(a, b))
export const product = scalar<Two>('multiply', 2, (s, [a, b]) => s.multiply(a, b))

/** a + b. When b is smaller it is repeated along the leading axes: b[T, C] is added to every a[b, :, :]. */
export function add(tape: Tape, label: string, a: Tensor, b: Tensor): Tensor {
  const { builder } = tape
  const columns = sizeOf(b)
  const rows = sizeOf(a) / columns
  const operand: OperandOf = rows === 1 ? full(b) : column(b)
  const y = builder.map(label, addition, rows, columns, [full(a), operand], a.shape)
  return tape.record(y, [a, b], (dy) => {
    if (rows === 1) return [dy, dy]
    return [dy, builder.reduce('columnSum', `${label}.gradient`, identity, rows, columns, [full(dy)], b.shape)]
  })
}

/** a · b, element by element. */
export function multiply(tape: Tape, label: string, a: Tensor, b: Tensor): Tensor {
  const times = (name: string, x: Tensor, y: Tensor): Tensor =>
    tape.builder.map(name, product, 1, sizeOf(x), [full(x), full(y)], x.shape)
  const y = times(label, a, b)
  return tape.record(y, [a, b], (dy) => [times(`${label}.gradientA`, dy, b), times(`${label}.gradientB`, dy, a)])
}

/** x · factor, with the factor rounded to f32. */
export function scale(tape: Tape, label: string, x: Tensor, factor: number): Tensor {
  const times = scalar<One>('scale', 1, (s, [value]) => s.multiply(value, s.constant(factor)))
  const run = (name: string, of: Tensor): Tensor => tape.builder.map(name, times, 1, sizeOf(of), [full(of)], of.shape)
  return tape.record(run(label, x), [x], (dy) => [run(`${label}.gradient`, dy)])
}

export type Activation = { readonly forward: ScalarProgram; readonly backward: ScalarProgram }

/** relu(x)². Its slope 2·relu(x) is continuous, and it needs no exponential. Source: arXiv:2109.08668. */
export const reluSquared: Activation = {
  forward: scalar<One>('reluSquared', 1, (s, [x]) => {
    const positive = s.select(s.less(s.constant(0), x), x, s.constant(0))
    return s.multiply(positive, positive)
  }),
  backward: scalar<Two>('reluSquared.backward', 2, (s, [x, dy]) => {
    const positive = s.select(s.less(s.constant(0), x), x, s.constant(0))
    return s.multiply(s.add(positive, positive), dy)
  }),
}

/** x · sigmoid(x); slope σ·(1 + x·(1 − σ)). */
export const silu: Activation = {
  forward: scalar<One>('silu', 1, (s, [x]) => s.multiply(x, sigmoid(s, x))),
  backward: scalar<Two>('silu.backward', 2, (s, [x, dy]) => {
    const sigma = sigmoid(s, x)
    const one = s.constant(1)
    return s.multiply(dy, s.multiply(sigma, s.add(one, s.multiply(x, s.subtract(one, sigma)))))
  }),
}

const geluSlope = 0.7978845608028654 // sqrt(2 / π)
const geluCubic = 0.044715

const geluArgument = (s: ScalarBuilder, x: Real): Real =>
  s.multiply(s.constant(geluSlope), s.add(x, s.multiply(s.constant(geluCubic), s.multiply(x, s.multiply(x, x)))))

/** ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). Source: arXiv:1606.08415. */
export const gelu: Activation = {
  forward: scalar<One>('gelu', 1, (s, [x]) =>
    s.multiply(s.multiply(s.constant(0.5), x), s.add(s.constant(1), tanh(s, geluArgument(s, x)))),
  ),
  backward: scalar<Two>('gelu.backward', 2, (s, [x, dy]) => {
    const one = s.constant(1)
    const half = s.constant(0.5)
    const t = tanh(s, geluArgument(s, x))
    const inner = s.multiply(s.constant(geluSlope), s.add(one, s.multiply(s.constant(3 * geluCubic), s.multiply(x, x))))
    const left = s.multiply(half, s.add(one, t))
    const right = s.multiply(s.multiply(s.multiply(half, x), s.subtract(one, s.multiply(t, t))), inner)
    return s.multiply(dy, s.add(left, right))
  }),
}

/** e^x; its slope is its value, computed again. */
export const exponential: Activation = {
  forward: scalar<One>('exp', 1, (s, [x]) => exp(s, x)),
  backward: scalar<Two>('exp.backward', 2, (s, [x, dy]) => s.multiply(dy, exp(s, x))),
}

/** An activation applied to every element. */
export function activate(tape: Tape, label: string, activation: Activation, x: Tensor): Tensor {
  const size = sizeOf(x)
  const y = tape.builder.map(label, activation.forward, 1, size, [full(x)], x.shape)
  return tape.record(y, [x], (dy) => [
    tape.builder.map(`${label}.gradient`, activation.backward, 1, size, [full(x), full(dy)], x.shape),
  ])
}
