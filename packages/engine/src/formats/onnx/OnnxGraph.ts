import { littleEndianBytes } from '../../program/littleEndianBytes.ts'
import type { ElementType, FileTensor } from '../FileTensor.ts'
import { onnxTypeNumber } from './elementTypes.ts'
import { ProtobufWriter } from './ProtobufWriter.ts'

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string }

export type OnnxNode = {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** An input or output of the graph; a text as extent names an axis whose size the caller chooses. */
export type OnnxValue = {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly (number | string)[]
}

/** The operator set of ONNX 1.13, and the file version that came before it: read by every runtime since 2022. */
const OPERATOR_SET = 18
const IR_VERSION = 8

/** Attribute kinds of AttributeProto. */
const [FLOAT, INT, STRING, INTS] = [1, 2, 3, 7]

/** An ONNX model in the making: nodes in order, weights, inputs and outputs. Names are given by the builder unless said. */
export class OnnxGraph {
  readonly nodes: OnnxNode[] = []
  readonly inputs: OnnxValue[] = []
  readonly outputs: OnnxValue[] = []
  readonly constants: FileTensor[] = []
  readonly #shared = new Map<string, string>()
  #count = 0

  /** The name `stem` makes unique. */
  fresh(stem: string): string {
    return `${stem}_${this.#count++}`
  }

  input(name: string, type: ElementType, shape: OnnxValue['shape']): string {
    this.inputs.push({ name, type, shape })
    return name
  }

  /** Marks a value as an output of the graph, under a name of its own. */
  output(value: string, name: string, type: ElementType, shape: OnnxValue['shape']): void {
    this.nodes.push({ operator: 'Identity', inputs: [value], outputs: [name], attributes: {} })
    this.outputs.push({ name, type, shape })
  }

  /** A weight under its own name. */
  weight(name: string, shape: readonly number[], values: Float32Array): string {
    this.constants.push({ name, type: 'F32', shape, bytes: littleEndianBytes(values) })
    return name
  }

  /** A small f32 constant; equal ones are stored once. A single number has rank 0. */
  real(...values: readonly number[]): string {
    const shape = values.length === 1 ? [] : [values.length]
    return this.#share('F32', shape, littleEndianBytes(Float32Array.from(values)))
  }

  /** A list of int64: a shape, axes, an index. */
  integers(...values: readonly number[]): string {
    return this.#integers([values.length], values)
  }

  /** One int64 of rank 0. */
  integer(value: number): string {
    return this.#integers([], [value])
  }

  #integers(shape: readonly number[], values: readonly number[]): string {
    const bytes = new Uint8Array(8 * values.length)
    const view = new DataView(bytes.buffer)
    for (const [i, value] of values.entries()) view.setBigInt64(8 * i, BigInt(value), true)
    return this.#share('I64', shape, bytes)
  }

  #share(type: ElementType, shape: readonly number[], bytes: Uint8Array): string {
    const key = `${type} ${shape.length} ${bytes.join()}`
    const known = this.#shared.get(key)
    if (known !== undefined) return known
    const name = this.fresh('constant')
    this.constants.push({ name, type, shape, bytes })
    this.#shared.set(key, name)
    return name
  }

  /** A node with one output; gives the output's name. */
  node(operator: string, inputs: readonly string[], attributes: OnnxNode['attributes'] = {}): string {
    const name = this.fresh(operator)
    this.nodes.push({ operator, inputs, outputs: [name], attributes })
    return name
  }

  /** A node with several outputs. */
  split(
    operator: string,
    inputs: readonly string[],
    outputs: number,
    attributes: OnnxNode['attributes'] = {},
  ): string[] {
    const names = Array.from({ length: outputs }, () => this.fresh(operator))
    this.nodes.push({ operator, inputs, outputs: names, attributes })
    return names
  }

  /** The bytes of the model file. */
  encode(name: string): Uint8Array {
    const model = new ProtobufWriter().integer(1, IR_VERSION).text(2, 'potluck')
    model.message(7, (graph) => {
      for (const node of this.nodes) graph.message(1, (inner) => putNode(inner, node))
      graph.text(2, name)
      for (const tensor of this.constants) graph.message(5, (inner) => putTensor(inner, tensor))
      for (const value of this.inputs) graph.message(11, (inner) => putValue(inner, value))
      for (const value of this.outputs) graph.message(12, (inner) => putValue(inner, value))
    })
    return model.message(8, (set) => set.text(1, '').integer(2, OPERATOR_SET)).finish()
  }
}

function putNode(node: ProtobufWriter, { operator, inputs, outputs, attributes }: OnnxNode): void {
  for (const name of inputs) node.text(1, name)
  for (const name of outputs) node.text(2, name)
  node.text(4, operator)
  for (const [name, value] of Object.entries(attributes)) {
    node.message(5, (attribute) => {
      attribute.text(1, name)
      if ('float' in value) attribute.float(2, value.float).integer(20, FLOAT)
      else if ('int' in value) attribute.integer(3, value.int).integer(20, INT)
      else if ('text' in value) attribute.text(4, value.text).integer(20, STRING)
      else {
        for (const item of value.ints) attribute.integer(8, item)
        attribute.integer(20, INTS)
      }
    })
  }
}

function putTensor(tensor: ProtobufWriter, { name, type, shape, bytes }: FileTensor): void {
  for (const extent of shape) tensor.integer(1, extent)
  tensor.integer(2, onnxTypeNumber.get(type)!).text(8, name).bytes(9, bytes)
}

function putValue(value: ProtobufWriter, { name, type, shape }: OnnxValue): void {
  value.text(1, name).message(2, (outer) =>
    outer.message(1, (tensor) => {
      tensor.integer(1, onnxTypeNumber.get(type)!).message(2, (dimensions) => {
        for (const extent of shape) {
          dimensions.message(1, (dimension) => {
            if (typeof extent === 'number') dimension.integer(1, extent)
            else dimension.text(2, extent)
          })
        }
      })
    }),
  )
}
