import type { ActivationName, CnnConfig, LogisticConfig, MlpConfig } from '../../model/ModelConfig.ts'
import { windowCount } from '../../program/Program.ts'
import { transposed, type Weights, weightOf } from '../Weights.ts'
import type { OnnxGraph } from './OnnxGraph.ts'
import { activated } from './transformerToOnnx.ts'

/**
 * The inference graph of a model of rows: `inputs` f32 [batch, numbers] → `logits` and `probabilities` [batch, classes], or `predictions`
 * [batch, count]. An image is a flat row [height, width, channels], as in training.
 */
export function rowModelToOnnx(
  graph: OnnxGraph,
  config: LogisticConfig | MlpConfig | CnnConfig,
  weights: Weights,
): void {
  const count = config.kind === 'cnn' ? config.height * config.width * config.channels : config.inputs
  const x = graph.input('inputs', 'F32', ['batch', count])
  const features = config.kind === 'cnn' ? convolutions(graph, config, weights, x) : x
  const hidden = config.kind === 'logistic' ? [] : config.hidden
  const activation = config.kind === 'mlp' ? config.activation : 'relu'
  const y = stack(graph, weights, features, hidden.length, activation)
  if (config.kind === 'mlp' && config.regression !== undefined) {
    graph.output(y, 'predictions', 'F32', ['batch', config.regression])
    return
  }
  const shape = ['batch', config.classes ?? 1]
  graph.output(y, 'logits', 'F32', shape)
  graph.output(graph.node('Softmax', [y], { axis: { int: -1 } }), 'probabilities', 'F32', shape)
}

/** Linear layers `layer0`, `layer1`, …, an activation after each but the last. */
function stack(graph: OnnxGraph, weights: Weights, x: string, hidden: number, activation: ActivationName): string {
  let h = x
  for (let i = 0; i <= hidden; i++) {
    const [w, bias] = [`layer${i}`, `layer${i}.bias`].map((name) => {
      const { shape, values } = weightOf(weights, name)
      return graph.weight(name, shape, values)
    }) as [string, string]
    h = graph.node('Gemm', [h, w, bias])
    if (i < hidden) h = activated(graph, activation, h)
  }
  return h
}

function convolutions(graph: OnnxGraph, config: CnnConfig, weights: Weights, x: string): string {
  let { height: H, width: W, channels: C } = config
  const image = graph.node('Reshape', [x, graph.integers(-1, H, W, C)])
  let h = graph.node('Transpose', [image], { perm: { ints: [0, 3, 1, 2] } })
  for (const [i, { channels, kernel, stride, padding, pool }] of config.convolutions.entries()) {
    const name = `convolution${i}`
    // [C·kh·kw, O] with k = (c·kh + i)·kw + j: its transpose is [O, C, kh, kw].
    const { values } = transposed(weightOf(weights, name, [C * kernel * kernel, channels]))
    const w = graph.weight(name, [channels, C, kernel, kernel], values)
    const bias = weightOf(weights, `${name}.bias`, [channels])
    const y = graph.node('Conv', [h, w, graph.weight(`${name}.bias`, bias.shape, bias.values)], {
      kernel_shape: { ints: [kernel, kernel] },
      strides: { ints: [stride, stride] },
      pads: { ints: [padding, padding, padding, padding] },
    })
    h = graph.node('Relu', [y])
    const window = { stride, padding }
    ;[H, W, C] = [windowCount(H, kernel, window), windowCount(W, kernel, window), channels]
    if (pool === 1) continue
    h = graph.node('MaxPool', [h], { kernel_shape: { ints: [pool, pool] }, strides: { ints: [pool, pool] } })
    ;[H, W] = [Math.floor(H / pool), Math.floor(W / pool)]
  }
  // The linear layers were trained on channels-last features.
  const last = graph.node('Transpose', [h], { perm: { ints: [0, 2, 3, 1] } })
  return graph.node('Reshape', [last, graph.integers(-1, H * W * C)])
}
