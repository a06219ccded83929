import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelConfig } from '../../model/ModelConfig.ts'
import { modelOf as modelOfConfig } from '../../model/modelOf.ts'
import type { FileTensor } from '../FileTensor.ts'
import { flatModel, modelWeights, plainWeights } from '../modelWeights.ts'
import { flipBytes } from '../test/flipBytes.ts'
import { weightsByName } from '../Weights.ts'
import { modelFromOnnx } from './modelFromOnnx.ts'
import { modelToOnnx } from './modelToOnnx.ts'
import { OnnxGraph } from './OnnxGraph.ts'
import { ProtobufWriter } from './ProtobufWriter.ts'
import { readOnnx } from './readOnnx.ts'

const text = (word: string): number[] => [word.length, ...new TextEncoder().encode(word)]

test('a graph of one node has the bytes worked out by hand', () => {
  const graph = new OnnxGraph()
  graph.input('x', 'F32', ['n', 2])
  graph.nodes.push({ operator: 'Elu', inputs: ['x'], outputs: ['y'], attributes: { alpha: { float: 1 } } })
  graph.outputs.push({ name: 'y', type: 'F32', shape: [] })
  const attribute = [0x0a, ...text('alpha'), 0x15, 0, 0, 0x80, 0x3f, 0xa0, 0x01, 1]
  const node = [0x0a, ...text('x'), 0x12, ...text('y'), 0x22, ...text('Elu'), 0x2a, attribute.length, ...attribute]
  const shape = [0x0a, 3, 0x12, ...text('n'), 0x0a, 2, 0x08, 2]
  const tensorType = [0x08, 1, 0x12, shape.length, ...shape]
  const input = [0x0a, ...text('x'), 0x12, tensorType.length + 2, 0x0a, tensorType.length, ...tensorType]
  const output = [0x0a, ...text('y'), 0x12, 6, 0x0a, 4, 0x08, 1, 0x12, 0]
  const inner = [
    ...[0x0a, node.length, ...node],
    ...[0x12, ...text('g')],
    ...[0x5a, input.length, ...input],
    ...[0x62, output.length, ...output],
  ]
  const expected = [0x08, 8, 0x12, ...text('potluck'), 0x3a, inner.length, ...inner, 0x42, 4, 0x0a, 0, 0x10, 18]
  assert.deepEqual([...graph.encode('g')], expected)
})

test('numbers are written as protocol buffers have them', () => {
  const bytes = (value: number | bigint): number[] => [...new ProtobufWriter().integer(1, value).finish()].slice(1)
  assert.deepEqual(bytes(0), [0])
  assert.deepEqual(bytes(127), [127])
  assert.deepEqual(bytes(300), [0xac, 0x02])
  assert.deepEqual(bytes(-1), [255, 255, 255, 255, 255, 255, 255, 255, 255, 1])
  assert.deepEqual(bytes(0x10000000000), [128, 128, 128, 128, 128, 32])
})

const weights = new Map([
  ['layer0', { shape: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['layer0.bias', { shape: [2], values: Float32Array.of(-1, 1) }],
])
const file = modelToOnnx({ kind: 'logistic', inputs: 3, classes: 2 }, weights)

test('a written model says what it takes and gives, and its weights come back', () => {
  const { operatorSet, inputs, outputs, operators, tensors } = readOnnx(file)
  assert.equal(operatorSet, 18)
  assert.deepEqual([inputs, outputs], [['inputs'], ['logits', 'probabilities']])
  assert.deepEqual(operators, ['Gemm', 'Identity', 'Softmax', 'Identity'])
  assert.deepEqual(tensors.get('layer0')!.shape, [3, 2])
  assert.deepEqual([...new Float32Array(tensors.get('layer0')!.bytes.slice().buffer)], [1, 2, 3, 4, 5, 6])
})

test('one model gives one file, and a weight that is missing is named', () => {
  assert.deepEqual(modelToOnnx({ classes: 2, inputs: 3, kind: 'logistic' }, weights), file)
  const mlp = { kind: 'mlp', inputs: 3, hidden: [2], activation: 'relu', classes: 2 } as const
  assert.throws(() => modelToOnnx(mlp, weights), { code: 'FORMAT_MISSING', message: /layer1/ })
  assert.throws(() => modelToOnnx({ ...mlp, inputs: 0 }, weights), { code: 'BAD_CONFIG' })
})

const nothing = (): void => undefined

test('the weights of a model come back from its file, whatever its kind', () => {
  const configs: ModelConfig[] = [
    { kind: 'mlp', inputs: 3, hidden: [4], activation: 'relu', regression: 2 },
    { kind: 'gpt', vocabulary: 5, context: 4, width: 6, layers: 1, heads: 2, bias: true },
    { kind: 'llama', vocabulary: 5, context: 4, width: 8, layers: 2, heads: 2, hidden: 6 },
    {
      kind: 'cnn',
      height: 6,
      width: 5,
      channels: 2,
      convolutions: [{ channels: 3, kernel: 2, stride: 1, padding: 1, pool: 2 }],
      hidden: [4],
      classes: 2,
    },
  ]
  for (const config of configs) {
    const { parameters } = modelOfConfig(config)
    const size = parameters.reduce((sum, parameter) => sum + parameter.size, 0)
    const named = weightsByName(
      parameters,
      Float32Array.from({ length: size }, (_, i) => i / 8),
    )
    const written = modelToOnnx(config, named)
    assert.deepEqual(modelFromOnnx(config, written), named)
    const other = { ...config, ...('width' in config ? { width: 2 * config.width } : { inputs: 9 }) }
    assert.throws(() => modelFromOnnx(other, written), { code: 'FORMAT_SHAPE' })
  }
})

test('adapters are folded in before a model is written, and refused when they are not', () => {
  const config: ModelConfig = {
    kind: 'llama',
    vocabulary: 3,
    context: 2,
    width: 4,
    layers: 1,
    heads: 2,
    hidden: 2,
    lora: { rank: 1, alpha: 2, matrices: ['down'] },
  }
  const model = modelOfConfig(config)
  const sizeOf = (layout: readonly { size: number }[]): number => layout.reduce((sum, { size }) => sum + size, 0)
  const parameters = Float32Array.of(1, 2, 1, 10, 100, 1000)
  const frozen = new Float32Array(sizeOf(model.frozen)).fill(0.5)
  assert.equal(sizeOf(model.parameters), parameters.length)
  const plain = plainWeights(model, parameters, frozen)
  // 0.5 + 2·a·b with a = (1, 2), b = (1, 10, 100, 1000)
  const expected = [2.5, 20.5, 200.5, 2000.5, 4.5, 40.5, 400.5, 4000.5]
  assert.deepEqual([...plain.get('layer0.mlp.down')!.values], expected)
  assert.deepEqual(modelFromOnnx(config, modelToOnnx(config, plain)), plain)
  const beside = modelWeights(model, parameters, frozen)
  assert.throws(() => modelToOnnx(config, beside), { code: 'BAD_WEIGHTS', message: /layer0\.mlp\.down\.a/ })
  assert.deepEqual(flatModel(model, beside), { parameters, frozen })
})

/** A model whose graph is written field by field. */
function modelOf(write: (graph: ProtobufWriter) => void, ir = 8): Uint8Array {
  return new ProtobufWriter().integer(1, ir).message(7, write).finish()
}

const weightOf = (write: (tensor: ProtobufWriter) => void): Uint8Array => modelOf((graph) => graph.message(5, write))

test('weights stored as numbers and packed extents are read too', () => {
  const model = weightOf((tensor) =>
    tensor
      .bytes(1, Uint8Array.of(2, 1))
      .integer(2, 1)
      .text(8, 'w')
      .float(4, 1.5)
      .bytes(4, Uint8Array.of(0, 0, 0, 192)),
  )
  const tensor = readOnnx(model).tensors.get('w') as FileTensor
  assert.deepEqual(tensor.shape, [2, 1])
  assert.deepEqual([...new Float32Array(tensor.bytes.slice().buffer)], [1.5, -2])
})

test('a file that lies is refused with what is wrong [E-42]', () => {
  const claim = (extents: (number | bigint)[], raw: number, type = 1): Uint8Array =>
    weightOf((tensor) => {
      for (const extent of extents) tensor.integer(1, extent)
      tensor.integer(2, type).text(8, 'w').bytes(9, new Uint8Array(raw))
    })
  const good = claim([2], 8)
  const cases: [string, Uint8Array, string][] = [
    ['nothing', new Uint8Array(0), 'FORMAT_HEADER'],
    ['no graph', new ProtobufWriter().integer(1, 8).finish(), 'FORMAT_MISSING'],
    ['no version', new ProtobufWriter().message(7, nothing).finish(), 'FORMAT_HEADER'],
    ['a version of 10^9', modelOf(nothing, 1e9), 'FORMAT_HEADER'],
    ['cut short', good.subarray(0, good.length - 1), 'FORMAT_TRUNCATED'],
    ['a field of 10 GB', Uint8Array.of(0x3a, 0x80, 0xc8, 0xaf, 0xa0, 0x25), 'FORMAT_TRUNCATED'],
    ['a number without end', new Uint8Array(12).fill(255), 'FORMAT_HEADER'],
    ['field 0', Uint8Array.of(0, 0), 'FORMAT_HEADER'],
    ['a group', Uint8Array.of(0x0b), 'FORMAT_HEADER'],
    ['graph as a number', new ProtobufWriter().integer(1, 8).integer(7, 1).finish(), 'FORMAT_HEADER'],
    ['text that is not UTF-8', weightOf((tensor) => tensor.bytes(8, Uint8Array.of(255))), 'FORMAT_HEADER'],
    ['no type', claim([2], 8, 0), 'FORMAT_TYPE'],
    ['texts as weights', claim([2], 8, 8), 'FORMAT_TYPE'],
    ['an unknown type', claim([2], 8, 99), 'FORMAT_TYPE'],
    ['negative extent', claim([-2], 8), 'FORMAT_SHAPE'],
    ['extent of 2^62', claim([1n << 62n], 8), 'FORMAT_SHAPE'],
    ['extents beyond any file', claim([0x100000000, 0x100000000], 8), 'FORMAT_SHAPE'],
    ['too many extents', claim(new Array(17).fill(1), 4), 'FORMAT_SHAPE'],
    ['10 GB claimed', claim([2_500_000_000], 8), 'FORMAT_SIZE'],
    ['wrong size for the shape', claim([3], 8), 'FORMAT_SIZE'],
    ['no data', weightOf((tensor) => tensor.integer(1, 2).integer(2, 1).text(8, 'w')), 'FORMAT_SIZE'],
    ['data elsewhere', weightOf((tensor) => tensor.integer(2, 1).text(8, 'w').integer(14, 1)), 'FORMAT_TYPE'],
    ['a path', weightOf((tensor) => tensor.message(13, (entry) => entry.text(1, 'location'))), 'FORMAT_TYPE'],
    ['int32_data', weightOf((tensor) => tensor.integer(2, 6).integer(5, 1)), 'FORMAT_TYPE'],
    [
      'one name twice',
      modelOf((graph) => {
        for (let i = 0; i < 2; i++)
          graph.message(5, (tensor) => tensor.integer(2, 1).text(8, 'w').bytes(9, new Uint8Array(4)))
      }),
      'FORMAT_DUPLICATE',
    ],
  ]
  for (const [name, model, code] of cases) assert.throws(() => readOnnx(model), { code }, name)
})

test('no damage to a file makes the reader throw anything but a PotluckError [E-42]', () => {
  flipBytes(file, 3000, readOnnx)
})
