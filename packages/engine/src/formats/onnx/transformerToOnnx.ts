import type { TransformerForm } from '../../model/transformer.ts'
import { ropeTables } from '../../operators/rope.ts'
import { type Weights, weightOf } from '../Weights.ts'
import type { OnnxGraph } from './OnnxGraph.ts'

/** The epsilon of `rmsNorm` and `layerNorm`. */
const EPSILON = 1e-5
/** The least f32: what a position may not see weighs nothing after the softmax. */
const HIDDEN = -3.4028234663852886e38

type Scope = {
  readonly graph: OnnxGraph
  readonly form: TransformerForm
  /** A weight of the model as a value of the graph. */
  weight(name: string): string
  /** Which positions each position sees: bool [time, time]. */
  readonly mask: string
  /** Cosines and sines of the rotary angles [time, C/2, 1]; none with learned positions. */
  readonly turns: readonly [cosine: string, sine: string] | null
}

/**
 * The inference graph of a llama or GPT model: `input_ids` int64 [batch, time] → `logits` f32 [batch, time, V], time at most the context.
 *
 * Written with the operators that runtimes know to fuse: Gather, LayerNormalization, MatMul, Softmax, Erf, Sigmoid.
 */
export function transformerToOnnx(graph: OnnxGraph, form: TransformerForm, weights: Weights, ropeBase: number): void {
  const { context: T, layers, vocabulary } = form
  const known = new Map<string, string>()
  const weight = (name: string): string => {
    const { shape, values } = weightOf(weights, name)
    const value = known.get(name) ?? graph.weight(name, shape, values)
    known.set(name, value)
    return value
  }
  const tokens = graph.input('input_ids', 'I64', ['batch', 'time'])
  const time = graph.node('Gather', [graph.node('Shape', [tokens]), graph.integer(1)])
  const firstRows = (table: string): string =>
    graph.node('Slice', [
      table,
      graph.integers(0),
      graph.node('Unsqueeze', [time, graph.integers(0)]),
      graph.integers(0),
    ])
  const places = graph.node('Range', [graph.integer(0), time, graph.integer(1)])
  const [rows, columns] = [1, 0].map((axis) => graph.node('Unsqueeze', [places, graph.integers(axis)])) as [
    string,
    string,
  ]
  const mask = graph.node('LessOrEqual', [columns, rows])
  let x = graph.node('Gather', [weight('tokens'), tokens])
  if (form.positions === 'learned') x = graph.node('Add', [x, firstRows(weight('positions'))])
  const turns = form.positions === 'rotary' ? rotaryTables(graph, form, T, ropeBase, firstRows) : null
  const scope: Scope = { graph, form, weight, mask, turns }
  for (let layer = 0; layer < layers; layer++) {
    x = graph.node('Add', [x, attention(scope, `layer${layer}.attention`, x)])
    x = graph.node('Add', [x, feedForward(scope, `layer${layer}.mlp`, x)])
  }
  const h = norm(scope, 'final', x)
  const head = form.tie ? graph.node('Transpose', [weight('tokens')], { perm: { ints: [1, 0] } }) : weight('head')
  graph.output(graph.node('MatMul', [h, head]), 'logits', 'F32', ['batch', 'time', vocabulary])
}

/** The tables of `ropeTables` with one column for each pair. */
function rotaryTables(
  graph: OnnxGraph,
  { width: C, heads }: TransformerForm,
  T: number,
  base: number,
  firstRows: (table: string) => string,
): readonly [string, string] {
  const { cos, sin } = ropeTables(T, C, C / heads, base)
  const halved = (table: Float32Array): Float32Array => table.filter((_, i) => i % 2 === 0)
  return [
    firstRows(graph.weight('ropeCosine', [T, C / 2, 1], halved(cos))),
    firstRows(graph.weight('ropeSine', [T, C / 2, 1], halved(sin))),
  ]
}

function norm({ graph, form, weight }: Scope, part: string, x: string): string {
  const gain = weight(`${part}.gain`)
  if (form.norm === 'layer') {
    const attributes = { axis: { int: -1 }, epsilon: { float: EPSILON } }
    return graph.node('LayerNormalization', [x, gain, weight(`${part}.shift`)], attributes)
  }
  const mean = graph.node('ReduceMean', [graph.node('Mul', [x, x]), graph.integers(-1)], { keepdims: { int: 1 } })
  const root = graph.node('Sqrt', [graph.node('Add', [mean, graph.real(EPSILON)])])
  return graph.node('Mul', [graph.node('Div', [x, root]), gain])
}

function affine({ graph, form, weight }: Scope, name: string, x: string): string {
  const y = graph.node('MatMul', [x, weight(name)])
  return form.bias ? graph.node('Add', [y, weight(`${name}.bias`)]) : y
}

function attention(scope: Scope, at: string, x: string): string {
  const { graph, form, mask } = scope
  const D = form.width / form.heads
  const h = norm(scope, at, x)
  const heads = (value: string, order: readonly number[]): string => {
    const split = graph.node('Reshape', [value, graph.integers(0, 0, form.heads, D)])
    return graph.node('Transpose', [split], { perm: { ints: order } })
  }
  const [q, k, v] = ['query', 'key', 'value'].map((part) => affine(scope, `${at}.${part}`, h)) as [
    string,
    string,
    string,
  ]
  const turned = [heads(turn(scope, q), [0, 2, 1, 3]), heads(turn(scope, k), [0, 2, 3, 1])]
  const scores = graph.node('Mul', [graph.node('MatMul', turned), graph.real(1 / Math.sqrt(D))])
  const p = graph.node('Softmax', [graph.node('Where', [mask, scores, graph.real(HIDDEN)])], { axis: { int: -1 } })
  const mixed = graph.node('MatMul', [p, heads(v, [0, 2, 1, 3])])
  const joined = graph.node('Transpose', [mixed], { perm: { ints: [0, 2, 1, 3] } })
  return affine(scope, `${at}.out`, graph.node('Reshape', [joined, graph.integers(0, 0, form.width)]))
}

/** Rotary positions on adjacent pairs: (a, b) → (a·cos − b·sin, b·cos + a·sin). */
function turn({ graph, form, turns }: Scope, x: string): string {
  if (!turns) return x
  const [cosine, sine] = turns
  const pairs = graph.node('Reshape', [x, graph.integers(0, 0, form.width / 2, 2)])
  const [a, b] = graph.split('Split', [pairs], 2, { axis: { int: -1 }, num_outputs: { int: 2 } }) as [string, string]
  const product = (left: string, right: string): string => graph.node('Mul', [left, right])
  const first = graph.node('Sub', [product(a, cosine), product(b, sine)])
  const second = graph.node('Add', [product(b, cosine), product(a, sine)])
  const joined = graph.node('Concat', [first, second], { axis: { int: -1 } })
  return graph.node('Reshape', [joined, graph.integers(0, 0, form.width)])
}

function feedForward(scope: Scope, at: string, x: string): string {
  const { graph, form } = scope
  const h = norm(scope, at, x)
  if (form.mlp === 'swiglu') {
    const gate = activated(graph, 'silu', affine(scope, `${at}.gate`, h))
    return affine(scope, `${at}.down`, graph.node('Mul', [gate, affine(scope, `${at}.up`, h)]))
  }
  return affine(scope, `${at}.down`, activated(graph, form.mlp, affine(scope, `${at}.up`, h)))
}

/** An activation by its name in a config. */
export function activated(
  graph: OnnxGraph,
  name: 'relu' | 'reluSquared' | 'silu' | 'gelu' | 'tanh' | 'sigmoid',
  x: string,
): string {
  switch (name) {
    case 'relu':
      return graph.node('Relu', [x])
    case 'tanh':
      return graph.node('Tanh', [x])
    case 'sigmoid':
      return graph.node('Sigmoid', [x])
    case 'silu':
      return graph.node('Mul', [x, graph.node('Sigmoid', [x])])
    case 'reluSquared': {
      const positive = graph.node('Relu', [x])
      return graph.node('Mul', [positive, positive])
    }
    case 'gelu': {
      // x·½·(1 + erf(x/√2)) in the shape that runtimes recognise and fuse.
      const error = graph.node('Erf', [graph.node('Div', [x, graph.real(Math.sqrt(2))])])
      return graph.node('Mul', [graph.node('Mul', [x, graph.node('Add', [error, graph.real(1)])]), graph.real(0.5)])
    }
  }
}
