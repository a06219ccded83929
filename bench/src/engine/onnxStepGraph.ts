import { OnnxGraph } from '../../../packages/engine/src/formats/onnx/OnnxGraph.ts'
import type { LlamaConfig } from '../../../packages/engine/src/model/ModelConfig.ts'
import type { Parameter } from '../../../packages/engine/src/model/parameterLayout.ts'
import { ropeTables } from '../../../packages/engine/src/operators/rope.ts'
import { OnnxTape, type Value } from './OnnxTape.ts'

/** AdamW's fixed numbers; what changes from step to step are inputs. */
export type StepNumbers = { readonly beta1: number; readonly beta2: number }

/**
 * One training step of a llama model as an ONNX inference graph, as a user of onnxruntime would write it.
 *
 * Inputs: `tokens`, `targets` int64 [R]; for each parameter p `p.w`, `p.m`, `p.v`; the numbers `keep` = 1 − rate·decay, `stride` =
 * rate·c1/√c2, `floor` = ε/√c2, f32 of rank 0 (w' = keep·w − stride·m'/(√v' + floor), the same AdamW as E-16). Outputs: `loss`; for each parameter
 * `p.w.next`, `p.m.next`, `p.v.next`.
 *
 * Rotary positions turn halves instead of adjacent pairs, which is cheaper here: the caller reorders the columns of queries and keys (`halvedColumns`).
 */
export function onnxStepGraph(
  config: LlamaConfig,
  B: number,
  layout: readonly Parameter[],
  { beta1, beta2 }: StepNumbers,
): Uint8Array {
  const { context: T, width: C, heads: H, layers } = config
  const graph = new OnnxGraph()
  const tape = new OnnxTape(graph)
  const R = B * T
  const input = (name: string, shape: readonly number[]): Value => ({ name: graph.input(name, 'F32', shape), shape })
  const indices = (name: string): Value => ({ name: graph.input(name, 'I64', [R]), shape: [R] })
  const [tokens, targets] = [indices('tokens'), indices('targets')]
  const [keep, stride, floor] = ['keep', 'stride', 'floor'].map((name) => input(name, [])) as [Value, Value, Value]
  const weights = new Map(layout.map(({ name, shape }) => [name, input(`${name}.w`, shape)]))
  const weight = (name: string): Value => weights.get(name)!
  const D = C / H
  const [cosine, sine] = halvedTables(graph, T, D, config.ropeBase ?? 10_000)
  const mask = graph.weight(
    'mask',
    [T, T],
    Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -1e30 : 0)),
  )

  const heads = (x: Value, name: string): Value => tape.reshape(tape.linear(x, weight(name)), [B, T, H, D])
  let x = tape.embedding(weight('tokens'), tokens)
  for (let layer = 0; layer < layers; layer++) {
    const at = `layer${layer}`
    const h = tape.rmsNorm(x, weight(`${at}.attention.gain`))
    const q = tape.transpose(tape.rope(heads(h, `${at}.attention.query`), cosine, sine), [0, 2, 1, 3])
    const k = tape.transpose(tape.rope(heads(h, `${at}.attention.key`), cosine, sine), [0, 2, 3, 1])
    const v = tape.transpose(heads(h, `${at}.attention.value`), [0, 2, 1, 3])
    const p = tape.maskedSoftmax(tape.matmul(q, k), 1 / Math.sqrt(D), mask)
    const mixed = tape.reshape(tape.transpose(tape.matmul(p, v), [0, 2, 1, 3]), [R, C])
    x = tape.add(x, tape.linear(mixed, weight(`${at}.attention.out`)))
    const m = tape.rmsNorm(x, weight(`${at}.mlp.gain`))
    const up = tape.gated(tape.linear(m, weight(`${at}.mlp.gate`)), tape.linear(m, weight(`${at}.mlp.up`)))
    x = tape.add(x, tape.linear(up, weight(`${at}.mlp.down`)))
  }
  const logits = tape.linear(tape.rmsNorm(x, weight('final.gain')), weight('head'))
  const { loss, gradient } = tape.crossEntropy(logits, targets)
  graph.output(loss.name, 'loss', 'F32', [])

  const gradients = tape.gradients(logits, gradient, [...weights.values()])
  for (const [i, { name, shape, decays }] of layout.entries()) {
    const [w, g] = [weight(name), gradients[i]!]
    const [m, v] = [input(`${name}.m`, shape), input(`${name}.v`, shape)]
    const emit = (operator: string, inputs: (Value | string)[]): Value => tape.emit(operator, inputs, shape)
    // m' = g + β1·(m − g): one operation fewer than β1·m + (1 − β1)·g; v' likewise.
    const towards = (from: Value, to: Value, beta: number): Value =>
      emit('Add', [to, emit('Mul', [emit('Sub', [from, to]), graph.real(beta)])])
    const m1 = towards(m, g, beta1)
    const v1 = towards(v, emit('Mul', [g, g]), beta2)
    const root = emit('Add', [emit('Sqrt', [v1]), floor])
    const change = emit('Div', [emit('Mul', [m1, stride]), root])
    const w1 = emit('Sub', [decays ? emit('Mul', [w, keep]) : w, change])
    for (const [value, part] of [
      [w1, '.w'],
      [m1, '.m'],
      [v1, '.v'],
    ] as const) {
      // Named as an output straight away: an Identity node would copy it.
      const node = graph.nodes.at(graph.nodes.findLastIndex(({ outputs }) => outputs.includes(value.name)))!
      renamed(graph, node.outputs[0]!, `${name}${part}.next`)
      graph.outputs.push({ name: `${name}${part}.next`, type: 'F32', shape })
    }
  }
  return graph.encode('potluck-step')
}

function renamed(graph: OnnxGraph, from: string, to: string): void {
  for (const [i, node] of graph.nodes.entries()) {
    const swap = (name: string): string => (name === from ? to : name)
    if (!node.outputs.includes(from) && !node.inputs.includes(from)) continue
    graph.nodes[i] = { ...node, inputs: node.inputs.map(swap), outputs: node.outputs.map(swap) }
  }
}

/** Cosines and sines [T, 1, D] for halves: channel i and channel i + D/2 turn by the angle of pair i. */
function halvedTables(graph: OnnxGraph, T: number, D: number, base: number): [Value, Value] {
  const { cos, sin } = ropeTables(T, D, D, base)
  const halved = (table: Float32Array): Float32Array => table.map((_, i) => table[i - (i % D) + 2 * (i % (D / 2))]!)
  const shape = [T, 1, D]
  return [
    { name: graph.weight('cosine', shape, halved(cos)), shape },
    { name: graph.weight('sine', shape, halved(sin)), shape },
  ]
}

/** A matrix [K, C] with the columns of each head in the order 0, 2, 4, …, 1, 3, 5, …. */
export function halvedColumns(values: Float32Array, C: number, H: number): Float32Array {
  const D = C / H
  return values.map((_, i) => {
    const c = i % D
    return values[i - c + (c < D / 2 ? 2 * c : 2 * (c - D / 2) + 1)]!
  })
}
