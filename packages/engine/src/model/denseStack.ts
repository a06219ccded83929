import { type Activation, activate } from '../operators/activations.ts'
import { linear } from '../operators/matmul.ts'
import type { Tensor } from '../program/Program.ts'
import type { ParameterEntry } from './layoutOf.ts'
import type { ForwardScope } from './Model.ts'

/** Weight [in, out] with standard deviation sqrt(gain / in) (He et al., arXiv:1502.01852), bias at 0. */
export function dense(name: string, inputs: number, outputs: number, gain: number): ParameterEntry[] {
  const start = Math.fround(Math.sqrt(gain / inputs))
  return [
    { name, shape: [inputs, outputs], start, decays: true },
    { name: `${name}.bias`, shape: [outputs], start: 0, decays: false },
  ]
}

/** Linear layers `layer0`, `layer1`, … of the given widths. */
export function stack(inputs: number, hidden: readonly number[], outputs: number): ParameterEntry[] {
  const widths = [inputs, ...hidden, outputs]
  return hidden.concat(outputs).flatMap((units, i) => dense(`layer${i}`, widths[i]!, units, i < hidden.length ? 2 : 1))
}

/** x·w + bias, the numbers of a sample taken as one row whatever their shape. */
export const layer = (scope: ForwardScope, name: string, x: Tensor): Tensor =>
  linear(scope.tape, name, x, scope.weight(name), scope.weight(`${name}.bias`))

/** Linear layers with an activation and dropout after each but the last. */
export function runStack(
  scope: ForwardScope,
  x: Tensor,
  hidden: number,
  activation: Activation,
  dropout: number,
): Tensor {
  let h = x
  for (let i = 0; i < hidden; i++) {
    const active = activate(scope.tape, `layer${i}.activation`, activation, layer(scope, `layer${i}`, h))
    h = scope.drop(scope.tape, `layer${i}.drop`, active, dropout)
  }
  return layer(scope, `layer${hidden}`, h)
}
