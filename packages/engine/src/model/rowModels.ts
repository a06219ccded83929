import { type Activation, gelu, relu, reluSquared, sigmoid, silu, tanh } from '../operators/activations.ts'
import { dense, layer, runStack, stack } from './denseStack.ts'
import { layoutOf } from './layoutOf.ts'
import type { Model, TargetForm } from './Model.ts'
import type { ActivationName, LogisticConfig, MlpConfig } from './ModelConfig.ts'

const activations: Readonly<Record<ActivationName, Activation>> = { relu, reluSquared, silu, gelu, tanh, sigmoid }

/** Logistic regression. It starts at zero: every class equally likely. */
export function logisticModel(config: LogisticConfig): Model {
  const { inputs, classes } = config
  return {
    config,
    parameters: layoutOf(dense('layer0', inputs, classes, 0)),
    frozen: [],
    constants: [],
    sample: { kind: 'rows', inputs },
    target: { kind: 'classes', classes },
    forward: (scope, x) => layer(scope, 'layer0', x),
  }
}

/** Linear layers with an activation between them. */
export function mlpModel(config: MlpConfig): Model {
  const { inputs, hidden, activation, dropout = 0 } = config
  const outputs = config.classes ?? config.regression
  const target: TargetForm =
    config.classes === undefined ? { kind: 'numbers', count: outputs } : { kind: 'classes', classes: outputs }
  return {
    config,
    parameters: layoutOf(stack(inputs, hidden, outputs)),
    frozen: [],
    constants: [],
    sample: { kind: 'rows', inputs },
    target,
    forward: (scope, x) => runStack(scope, x, hidden.length, activations[activation], dropout),
  }
}
