/**
 * Reverse-mode differentiation over ONNX nodes: each operator here writes its forward nodes at once and remembers how to write its gradient. The result
 * is one ordinary inference graph that computes a training step. Shapes are fixed and known.
 */
import type { Attribute, OnnxGraph } from '../../../packages/engine/src/formats/onnx/OnnxGraph.ts'

export type Value = { readonly name: string; readonly shape: readonly number[] }

type Recorded = {
  readonly output: Value
  readonly inputs: readonly Value[]
  readonly backward: (dy: Value) => readonly Value[]
}

type Attributes = Readonly<Record<string, Attribute>>

const perm = (...order: readonly number[]): Attributes => ({ perm: { ints: order } })

export class OnnxTape {
  readonly graph: OnnxGraph
  readonly #records: Recorded[] = []

  constructor(graph: OnnxGraph) {
    this.graph = graph
  }

  /** A node without a gradient. */
  emit(
    operator: string,
    inputs: readonly (Value | string)[],
    shape: readonly number[],
    attributes: Attributes = {},
  ): Value {
    const names = inputs.map((input) => (typeof input === 'string' ? input : input.name))
    return { name: this.graph.node(operator, names, attributes), shape }
  }

  #record(output: Value, inputs: readonly Value[], backward: Recorded['backward']): Value {
    this.#records.push({ output, inputs, backward })
    return output
  }

  /** The gradients of `last` (given its own) for `wanted`, in that order. */
  gradients(last: Value, seed: Value, wanted: readonly Value[]): Value[] {
    const known = new Map([[last.name, seed]])
    for (const { output, inputs, backward } of this.#records.reverse()) {
      const dy = known.get(output.name)
      if (dy === undefined) continue
      for (const [i, gradient] of backward(dy).entries()) {
        const { name, shape } = inputs[i]!
        const before = known.get(name)
        known.set(name, before ? this.emit('Add', [before, gradient], shape) : gradient)
      }
    }
    return wanted.map(({ name }) => known.get(name)!)
  }

  add(a: Value, b: Value): Value {
    return this.#record(this.emit('Add', [a, b], a.shape), [a, b], (dy) => [dy, dy])
  }

  /** x [R, K] · w [K, N]. */
  linear(x: Value, w: Value): Value {
    const shape = [x.shape[0]!, w.shape[1]!]
    return this.#record(this.emit('MatMul', [x, w], shape), [x, w], (dy) => [
      this.emit('Gemm', [dy, w], x.shape, { transB: { int: 1 } }),
      this.emit('Gemm', [x, dy], w.shape, { transA: { int: 1 } }),
    ])
  }

  /** a [G, H, M, K] · b [G, H, K, N] for each of G·H groups. */
  matmul(a: Value, b: Value): Value {
    const [G = 1, H = 1, M = 1, K = 1] = a.shape
    const N = b.shape[3]!
    const turned = (x: Value, rows: number, columns: number): Value =>
      this.emit('Transpose', [x], [G, H, columns, rows], perm(0, 1, 3, 2))
    return this.#record(this.emit('MatMul', [a, b], [G, H, M, N]), [a, b], (dy) => [
      this.emit('MatMul', [dy, turned(b, K, N)], a.shape),
      this.emit('MatMul', [turned(a, M, K), dy], b.shape),
    ])
  }

  reshape(x: Value, shape: readonly number[]): Value {
    const to = (of: Value, target: readonly number[]): Value =>
      this.emit('Reshape', [of, this.graph.integers(...target)], target)
    return this.#record(to(x, shape), [x], (dy) => [to(dy, x.shape)])
  }

  transpose(x: Value, order: readonly number[]): Value {
    const shape = order.map((axis) => x.shape[axis]!)
    const back = order.map((_, axis) => order.indexOf(axis))
    return this.#record(this.emit('Transpose', [x], shape, perm(...order)), [x], (dy) => [
      this.emit('Transpose', [dy], x.shape, perm(...back)),
    ])
  }

  /** Rows of a table [V, C] by int64 indices [R]. */
  embedding(table: Value, indices: Value): Value {
    const [V = 1, C = 1] = table.shape
    const R = indices.shape[0]!
    return this.#record(this.emit('Gather', [table, indices], [R, C]), [table], (dy) => {
      const zeros = this.graph.weight(this.graph.fresh('zeros'), [V, C], new Float32Array(V * C))
      const places = this.emit('Unsqueeze', [indices, this.graph.integers(1)], [R, 1])
      return [this.emit('ScatterND', [zeros, places, dy], [V, C], { reduction: { text: 'add' } })]
    })
  }

  /** (x / rms(x)) · g over the last axis of [R, C]. */
  rmsNorm(x: Value, g: Value): Value {
    const [R = 1] = x.shape
    const mean = (of: Value): Value => this.emit('ReduceMean', [of, this.graph.integers(-1)], [R, 1])
    const squares = this.emit('Add', [mean(this.emit('Mul', [x, x], x.shape)), this.graph.real(1e-5)], [R, 1])
    const inverse = this.emit('Reciprocal', [this.emit('Sqrt', [squares], [R, 1])], [R, 1])
    const normal = this.emit('Mul', [x, inverse], x.shape)
    return this.#record(this.emit('Mul', [normal, g], x.shape), [x, g], (dy) => {
      const dn = this.emit('Mul', [dy, g], x.shape)
      const along = mean(this.emit('Mul', [dn, normal], x.shape))
      const across = this.emit('Sub', [dn, this.emit('Mul', [normal, along], x.shape)], x.shape)
      const gains = this.emit('Mul', [dy, normal], x.shape)
      return [
        this.emit('Mul', [across, inverse], x.shape),
        this.emit('ReduceSum', [gains, this.graph.integers(0)], g.shape, { keepdims: { int: 0 } }),
      ]
    })
  }

  /** Rotary positions on the two halves of the last axis of [B, T, H, D]; cosines and sines [T, 1, D]. */
  rope(x: Value, cosine: Value, sine: Value): Value {
    const D = x.shape[3]!
    const half = [...x.shape.slice(0, 3), D / 2]
    const turned = (of: Value, negated: 0 | 1): Value => {
      const names = this.graph.split('Split', [of.name], 2, { axis: { int: -1 }, num_outputs: { int: 2 } })
      const [first, second] = names.map((name): Value => ({ name, shape: half })) as [Value, Value]
      const parts =
        negated === 0 ? [this.emit('Neg', [second], half), first] : [second, this.emit('Neg', [first], half)]
      return this.emit('Concat', parts, x.shape, { axis: { int: -1 } })
    }
    const product = (a: Value, b: Value): Value => this.emit('Mul', [a, b], x.shape)
    const y = this.emit('Add', [product(x, cosine), product(turned(x, 0), sine)], x.shape)
    return this.#record(y, [x], (dy) => [
      this.emit('Add', [product(dy, cosine), turned(product(dy, sine), 1)], x.shape),
    ])
  }

  /** softmax(scale · x + mask) over the last axis. */
  maskedSoftmax(x: Value, scale: number, mask: string): Value {
    const scaled = this.emit('Mul', [x, this.graph.real(scale)], x.shape)
    const p = this.emit('Softmax', [this.emit('Add', [scaled, mask], x.shape)], x.shape, { axis: { int: -1 } })
    return this.#record(p, [x], (dy) => {
      const inner = this.emit('Mul', [dy, p], x.shape)
      const sums = this.emit('ReduceSum', [inner, this.graph.integers(-1)], [...x.shape.slice(0, -1), 1])
      const centred = this.emit('Sub', [inner, this.emit('Mul', [p, sums], x.shape)], x.shape)
      return [this.emit('Mul', [centred, this.graph.real(scale)], x.shape)]
    })
  }

  /** silu(a) · u. */
  gated(a: Value, u: Value): Value {
    const { shape } = a
    const s = this.emit('Sigmoid', [a], shape)
    const t = this.emit('Mul', [a, s], shape)
    return this.#record(this.emit('Mul', [t, u], shape), [a, u], (dy) => {
      // silu' = s + t·(1 − s)
      const slope = this.emit('Add', [s, this.emit('Sub', [t, this.emit('Mul', [t, s], shape)], shape)], shape)
      return [this.emit('Mul', [this.emit('Mul', [dy, u], shape), slope], shape), this.emit('Mul', [dy, t], shape)]
    })
  }

  /** The mean cross entropy of logits [R, V] and its gradient, which is written at once. */
  crossEntropy(logits: Value, targets: Value): { loss: Value; gradient: Value } {
    const [R = 1, V = 1] = logits.shape
    const logs = this.emit('LogSoftmax', [logits], logits.shape, { axis: { int: -1 } })
    const places = this.emit('Unsqueeze', [targets, this.graph.integers(1)], [R, 1])
    const picked = this.emit('GatherElements', [logs, places], [R, 1], { axis: { int: 1 } })
    const mean = this.emit('ReduceMean', [picked, this.graph.integers(0, 1)], [], { keepdims: { int: 0 } })
    const oneHot = this.emit('OneHot', [targets, this.graph.integer(V), this.graph.real(0, 1)], logits.shape)
    const difference = this.emit('Sub', [this.emit('Exp', [logs], logits.shape), oneHot], logits.shape)
    const gradient = this.emit('Mul', [difference, this.graph.real(1 / R)], logits.shape)
    return { loss: this.emit('Neg', [mean], []), gradient }
  }
}
