import { sizeOf, type Tensor } from '../program/Program.ts'
import { full } from '../program/ProgramBuilder.ts'
import { erf, exp, tanh as hyperbolic, sigmoid as logistic } from '../scalar/functions.ts'
import type { Real, ScalarBuilder } from '../scalar/ScalarBuilder.ts'
import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import { type One, scalar, type Two } from './scalar.ts'
import type { Tape } from './Tape.ts'

/** `forward`: f(x). `backward`: f′(x)·dy from (x, dy), so that nothing but x is kept for the gradient. */
export type Activation = { readonly forward: ScalarProgram; readonly backward: ScalarProgram }

/** An activation applied to every element. */
export function activate(tape: Tape, label: string, activation: Activation, x: Tensor): Tensor {
  const size = sizeOf(x)
  const y = tape.builder.map(label, activation.forward, 1, size, [full(x)], x.shape)
  return tape.record(y, [x], (dy) => [
    tape.builder.map(`${label}.gradient`, activation.backward, 1, size, [full(x), full(dy)], x.shape),
  ])
}

const positivePart = (s: ScalarBuilder, x: Real): Real => s.select(s.less(s.constant(0), x), x, s.constant(0))

/** max(x, 0); slope 0 at 0. */
export const relu: Activation = {
  forward: scalar<One>('relu', 1, (s, [x]) => positivePart(s, x)),
  backward: scalar<Two>('relu.backward', 2, (s, [x, dy]) => s.select(s.less(s.constant(0), x), dy, s.constant(0))),
}

/** relu(x)². Its slope 2·relu(x) is continuous, and it needs no exponential. Source: arXiv:2109.08668. */
export const reluSquared: Activation = {
  forward: scalar<One>('reluSquared', 1, (s, [x]) => {
    const positive = positivePart(s, x)
    return s.multiply(positive, positive)
  }),
  backward: scalar<Two>('reluSquared.backward', 2, (s, [x, dy]) => {
    const positive = positivePart(s, x)
    return s.multiply(s.add(positive, positive), dy)
  }),
}

/** 1 / (1 + e^−x); slope σ·(1 − σ). */
export const sigmoid: Activation = {
  forward: scalar<One>('sigmoid', 1, (s, [x]) => logistic(s, x)),
  backward: scalar<Two>('sigmoid.backward', 2, (s, [x, dy]) => {
    const sigma = logistic(s, x)
    return s.multiply(dy, s.multiply(sigma, s.subtract(s.constant(1), sigma)))
  }),
}

/** tanh(x); slope 1 − tanh². */
export const tanh: Activation = {
  forward: scalar<One>('tanh', 1, (s, [x]) => hyperbolic(s, x)),
  backward: scalar<Two>('tanh.backward', 2, (s, [x, dy]) => {
    const t = hyperbolic(s, x)
    return s.multiply(dy, s.subtract(s.constant(1), s.multiply(t, t)))
  }),
}

/** x · sigmoid(x); slope σ·(1 + x·(1 − σ)). */
export const silu: Activation = {
  forward: scalar<One>('silu', 1, (s, [x]) => s.multiply(x, logistic(s, x))),
  backward: scalar<Two>('silu.backward', 2, (s, [x, dy]) => {
    const sigma = logistic(s, x)
    const one = s.constant(1)
    return s.multiply(dy, s.multiply(sigma, s.add(one, s.multiply(x, s.subtract(one, sigma)))))
  }),
}

/** x·Φ(x) with Φ(x) = ½·(1 + erf(x/√2)); slope Φ(x) + x·e^(−x²/2)/√(2π). Source: arXiv:1606.08415. */
export const gelu: Activation = {
  forward: scalar<One>('gelu', 1, (s, [x]) => s.multiply(x, normalShare(s, x))),
  backward: scalar<Two>('gelu.backward', 2, (s, [x, dy]) => {
    const bell = exp(s, s.multiply(s.constant(-0.5), s.multiply(x, x)))
    const density = s.multiply(s.constant(0.3989422804014327), bell) // 1/√(2π)
    return s.multiply(dy, s.add(normalShare(s, x), s.multiply(x, density)))
  }),
}

/** Φ(x): the share of a standard normal below x. */
function normalShare(s: ScalarBuilder, x: Real): Real {
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: pinned here, not by the platform
  const rootOfHalf = s.constant(0.7071067811865476)
  const shifted = s.add(s.constant(1), erf(s, s.multiply(x, rootOfHalf)))
  return s.multiply(s.constant(0.5), shifted)
}

const geluSlope = 0.7978845608028654 // sqrt(2 / π)
const geluCubic = 0.044715

const geluArgument = (s: ScalarBuilder, x: Real): Real =>
  s.multiply(s.constant(geluSlope), s.add(x, s.multiply(s.constant(geluCubic), s.multiply(x, s.multiply(x, x)))))

/** ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))): the approximation GPT-2 was trained with. Source: arXiv:1606.08415. */
export const geluTanh: Activation = {
  forward: scalar<One>('geluTanh', 1, (s, [x]) =>
    s.multiply(s.multiply(s.constant(0.5), x), s.add(s.constant(1), hyperbolic(s, geluArgument(s, x)))),
  ),
  backward: scalar<Two>('geluTanh.backward', 2, (s, [x, dy]) => {
    const one = s.constant(1)
    const half = s.constant(0.5)
    const t = hyperbolic(s, geluArgument(s, x))
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
