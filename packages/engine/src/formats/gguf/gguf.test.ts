import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gguf as parseGguf } from '@huggingface/gguf'
import type { LlamaConfig } from '../../model/ModelConfig.ts'
import { ByteWriter } from '../ByteWriter.ts'
import { type FileTensor, float32Tensor } from '../FileTensor.ts'
import { flipBytes } from '../test/flipBytes.ts'
import type { Weight } from '../Weights.ts'
import type { GgufValue } from './GgufValue.ts'
import { llamaFromGguf } from './llamaFromGguf.ts'
import { llamaNames } from './llamaNames.ts'
import { llamaToGguf } from './llamaToGguf.ts'
import { readGguf } from './readGguf.ts'
import { writeGguf } from './writeGguf.ts'

const x = float32Tensor('x', [1, 2], Float32Array.of(1, -2))

const everyType: [string, GgufValue][] = [
  ['u8', { type: 'u8', value: 255 }],
  ['i8', { type: 'i8', value: -128 }],
  ['u16', { type: 'u16', value: 65535 }],
  ['i16', { type: 'i16', value: -32768 }],
  ['u32', { type: 'u32', value: 4294967295 }],
  ['i32', { type: 'i32', value: -2147483648 }],
  ['f32', { type: 'f32', value: 0.5 }],
  ['bool', { type: 'bool', value: true }],
  ['string', { type: 'string', value: 'ä\n' }],
  ['u64', { type: 'u64', value: 18446744073709551615n }],
  ['i64', { type: 'i64', value: -9223372036854775808n }],
  ['f64', { type: 'f64', value: 0.1 }],
  ['strings', { type: 'array', of: 'string', values: ['a', ''] }],
  ['numbers', { type: 'array', of: 'i32', values: [-1, 2] }],
  ['none', { type: 'array', of: 'f32', values: [] }],
]

test('a file of one entry and one tensor has the bytes worked out by hand', () => {
  const u32 = (n: number): number[] => [n, 0, 0, 0]
  const u64 = (n: number): number[] => [n, 0, 0, 0, 0, 0, 0, 0]
  const text = (word: string): number[] => [...u64(word.length), ...new TextEncoder().encode(word)]
  const header = [
    ...[...'GGUF'].map((letter) => letter.charCodeAt(0)),
    ...u32(3),
    ...u64(1),
    ...u64(1),
    ...text('k'),
    ...u32(4),
    ...u32(7),
    ...text('x'),
    ...u32(2),
    ...u64(2),
    ...u64(1),
    ...u32(0),
    ...u64(0),
  ]
  const padding = (32 - (header.length % 32)) % 32
  const data = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
  const expected = [...header, ...new Array(padding).fill(0), ...data, ...new Array(24).fill(0)]
  assert.deepEqual([...writeGguf([['k', { type: 'u32', value: 7 }]], [x])], expected)
})

test('every type of metadata and tensor is read back as it was written', () => {
  const half: FileTensor = { name: 'half', type: 'F16', shape: [3, 1, 1, 1], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) }
  const file = writeGguf(everyType, [x, half])
  const { metadata, tensors } = readGguf(file)
  assert.deepEqual([...metadata], everyType)
  assert.deepEqual([...tensors.values()], [x, half])
  assert.equal(readGguf(writeGguf([], [])).tensors.size, 0)
})

const config: LlamaConfig = { kind: 'llama', vocabulary: 5, context: 8, width: 8, layers: 2, heads: 2, hidden: 12 }

function someWeights({ vocabulary: V, width: C, hidden, layers, tie = false }: LlamaConfig): Map<string, Weight> {
  let at = 0
  return new Map(
    llamaNames(layers, tie).map(({ ours }) => {
      const [rows, columns] = ours.endsWith('down') ? [hidden, C] : ours.includes('mlp') ? [C, hidden] : [C, C]
      const shape =
        ours === 'tokens' ? [V, C] : ours === 'head' ? [C, V] : ours.endsWith('gain') ? [C] : [rows, columns]
      const size = shape.reduce((product, extent) => product * extent, 1)
      return [ours, { shape, values: Float32Array.from({ length: size }, () => at++ / 64) }]
    }),
  )
}

const tokenizer = { kind: 'characters', vocabulary: 'abc \n' } as const
const weights = someWeights(config)
const llamaFile = llamaToGguf(config, weights, tokenizer, 'test')

test('a llama model comes back from its file, tied or not', () => {
  assert.deepEqual(llamaFromGguf(llamaFile), { config: { ...config, ropeBase: 10000, tie: false }, weights })
  const tied: LlamaConfig = { ...config, tie: true, ropeBase: 500 }
  const tiedWeights = someWeights(tied)
  const read = llamaFromGguf(llamaToGguf(tied, tiedWeights, tokenizer))
  assert.deepEqual(read, { config: tied, weights: tiedWeights })
})

test('the parser of Hugging Face sees the metadata and shapes that we wrote', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'potluck-gguf-'))
  try {
    const path = join(folder, 'model.gguf')
    writeFileSync(path, llamaFile)
    const { metadata, tensorInfos } = await parseGguf(path, { allowLocalFile: true })
    const seen = metadata as Record<string, unknown>
    assert.equal(seen['general.architecture'], 'llama')
    assert.equal(seen['general.name'], 'test')
    assert.equal(seen['llama.block_count'], 2)
    assert.equal(seen['llama.embedding_length'], 8)
    assert.equal(seen['llama.feed_forward_length'], 12)
    assert.equal(seen['llama.attention.head_count'], 2)
    assert.equal(seen['llama.rope.freq_base'], 10000)
    assert.deepEqual(seen['tokenizer.ggml.tokens'], ['a', 'b', 'c', ' ', '\\n'])
    assert.equal(tensorInfos.length, 21)
    const shapes = new Map(tensorInfos.map(({ name, shape, dtype }) => [name, [...shape.map(Number), dtype]]))
    assert.deepEqual(shapes.get('token_embd.weight'), [8, 5, 0])
    assert.deepEqual(shapes.get('output.weight'), [8, 5, 0])
    assert.deepEqual(shapes.get('blk.1.ffn_down.weight'), [12, 8, 0])
    assert.deepEqual(shapes.get('blk.0.ffn_gate.weight'), [8, 12, 0])
    assert.deepEqual(shapes.get('output_norm.weight'), [8, 0])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('matrices are written [out, in]: the first row of ours is the first column of theirs', () => {
  const { tensors } = readGguf(llamaFile)
  const down = tensors.get('blk.0.ffn_down.weight')!
  const ours = weights.get('layer0.mlp.down')!
  assert.deepEqual(down.shape, [8, 12])
  const theirs = new Float32Array(down.bytes.slice().buffer)
  assert.equal(theirs[0 * 12 + 3], ours.values[3 * 8 + 0])
  assert.equal(theirs[5 * 12 + 0], ours.values[0 * 8 + 5])
})

test('a vocabulary of another size than the model is refused', () => {
  const other = { kind: 'characters', vocabulary: 'abc' } as const
  assert.throws(() => llamaToGguf(config, weights, other), { code: 'BAD_TOKENIZER' })
  assert.throws(() => llamaToGguf(config, new Map(), tokenizer), { code: 'FORMAT_MISSING' })
})

/** A header written field by field, with what a lying file would say. */
function header(write: (file: ByteWriter) => void, { tensors = 0, entries = 0, version = 3 } = {}): Uint8Array {
  const file = new ByteWriter().text('GGUF').u32(version).u64(tensors).u64(entries)
  write(file)
  return file.finish().slice()
}

const nothing = (): void => undefined

type TensorClaim = {
  name?: string
  extents?: (number | bigint)[]
  rank?: number
  type?: number
  offset?: number | bigint
}

function tensorFile(claims: TensorClaim[], dataBytes = 64, entries: [string, number][] = []): Uint8Array {
  return header(
    (file) => {
      for (const [key, value] of entries) file.u64(key.length).text(key).u32(4).u32(value)
      for (const { name = 'x', extents = [8], rank, type = 0, offset = 0 } of claims) {
        file
          .u64(name.length)
          .text(name)
          .u32(rank ?? extents.length)
        for (const extent of extents) file.u64(extent)
        file.u32(type).u64(offset)
      }
      file.pad(32).put(new Uint8Array(dataBytes))
    },
    { tensors: claims.length, entries: entries.length },
  )
}

test('a file that lies is refused with what is wrong [E-42]', () => {
  const huge = 10_000_000_000
  const text = (word: string) => (file: ByteWriter) => file.u64(word.length).text(word)
  const entry = (write: (file: ByteWriter) => void): Uint8Array =>
    header((file) => write(text('k')(file)), { entries: 1 })
  const cases: [string, Uint8Array, string][] = [
    ['nothing', new Uint8Array(0), 'FORMAT_TRUNCATED'],
    ['another magic', new ByteWriter().text('GGML').put(new Uint8Array(60)).finish(), 'FORMAT_HEADER'],
    ['version 2', header(nothing, { version: 2 }), 'FORMAT_HEADER'],
    ['big-endian', header(nothing, { version: 3 << 24 }), 'FORMAT_HEADER'],
    ['10 billion tensors', header(nothing, { tensors: huge }), 'FORMAT_TRUNCATED'],
    ['10 billion entries', header(nothing, { entries: huge }), 'FORMAT_TRUNCATED'],
    ['a key of 10 GB', header((file) => file.u64(huge).put(new Uint8Array(20)), { entries: 1 }), 'FORMAT_TRUNCATED'],
    ['a text of 2^64 - 1', entry((file) => file.u32(8).u64(0xffffffffffffffffn)), 'FORMAT_TRUNCATED'],
    ['a list of 10 billion', entry((file) => file.u32(9).u32(0).u64(huge)), 'FORMAT_TRUNCATED'],
    ['a list of lists', entry((file) => file.u32(9).u32(9).u64(1).u32(0).u64(0)), 'FORMAT_TYPE'],
    ['an unknown type', entry((file) => file.u32(13).u64(0)), 'FORMAT_TYPE'],
    ['a bool of 2', entry((file) => file.u32(7).u8(2)), 'FORMAT_HEADER'],
    ['a key that is not UTF-8', header((file) => file.u64(1).u8(0xff).u32(4).u32(1), { entries: 1 }), 'FORMAT_HEADER'],
    [
      'a key twice',
      header((file) => [1, 2].forEach((n) => void text('k')(file).u32(4).u32(n)), { entries: 2 }),
      'FORMAT_DUPLICATE',
    ],
    ['a name of 64 bytes', tensorFile([{ name: 'n'.repeat(64) }]), 'FORMAT_LIMIT'],
    ['no extent', tensorFile([{ extents: [], rank: 0 }]), 'FORMAT_SHAPE'],
    ['five extents', tensorFile([{ extents: [1, 1, 1, 1, 8] }]), 'FORMAT_SHAPE'],
    ['an extent of 0', tensorFile([{ extents: [8, 0] }]), 'FORMAT_SHAPE'],
    ['an extent of 2^63', tensorFile([{ extents: [9223372036854775808n] }]), 'FORMAT_SHAPE'],
    ['extents beyond any file', tensorFile([{ extents: [4294967296, 4294967296] }]), 'FORMAT_SHAPE'],
    ['10 GB claimed', tensorFile([{ extents: [2_500_000_000] }]), 'FORMAT_RANGE'],
    ['quantised blocks', tensorFile([{ type: 12 }]), 'FORMAT_TYPE'],
    ['an unknown kind of number', tensorFile([{ type: 999 }]), 'FORMAT_TYPE'],
    ['an offset off the boundary', tensorFile([{ offset: 8 }]), 'FORMAT_ALIGNMENT'],
    ['an offset past the end', tensorFile([{ offset: 64 }]), 'FORMAT_RANGE'],
    ['an offset of 2^64 - 32', tensorFile([{ offset: 0xffffffffffffffe0n }]), 'FORMAT_RANGE'],
    ['one name twice', tensorFile([{}, { offset: 32 }]), 'FORMAT_DUPLICATE'],
    ['one place for two', tensorFile([{}, { name: 'y' }], 32), 'FORMAT_OVERLAP'],
    ['overlap', tensorFile([{ extents: [12] }, { name: 'y', offset: 32 }]), 'FORMAT_OVERLAP'],
    ['a hole', tensorFile([{}, { name: 'y', offset: 64 }], 96), 'FORMAT_GAP'],
    ['data left over', tensorFile([{}], 96), 'FORMAT_GAP'],
    ['an alignment of 0', tensorFile([{}], 32, [['general.alignment', 0]]), 'FORMAT_ALIGNMENT'],
    ['an alignment of 24', tensorFile([{}], 32, [['general.alignment', 24]]), 'FORMAT_ALIGNMENT'],
    ['an alignment of 2^31', tensorFile([{}], 32, [['general.alignment', 2147483648]]), 'FORMAT_ALIGNMENT'],
  ]
  for (const [name, file, code] of cases) assert.throws(() => readGguf(file), { code }, name)
})

test('a model that this engine would compute differently is refused by name [E-42]', () => {
  const { metadata, tensors } = readGguf(llamaFile)
  const changed = (key: string, value: GgufValue): Uint8Array =>
    writeGguf([...new Map(metadata).set(key, value)], [...tensors.values()])
  const cases: [string, GgufValue, string, RegExp][] = [
    ['general.architecture', { type: 'string', value: 'mamba' }, 'UNSUPPORTED_MODEL', /is "mamba"/],
    ['llama.attention.head_count_kv', { type: 'u32', value: 0 }, 'UNSUPPORTED_MODEL', /head_count_kv is 0/],
    ['llama.attention.head_count_kv', { type: 'u32', value: 1 }, 'FORMAT_SHAPE', /attn_k/],
    ['llama.rope.dimension_count', { type: 'u32', value: 2 }, 'UNSUPPORTED_MODEL', /a head has 4 channels/],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'f32', value: 1e-6 }, 'UNSUPPORTED_MODEL', /epsilon/],
    ['llama.rope.scaling.type', { type: 'string', value: 'yarn' }, 'UNSUPPORTED_MODEL', /scales/],
    ['llama.block_count', { type: 'u32', value: 4_000_000 }, 'UNSUPPORTED_MODEL', /at most 4096/],
    ['llama.block_count', { type: 'u32', value: 3 }, 'FORMAT_MISSING', /blk\.2\.attn_norm/],
    ['llama.block_count', { type: 'u32', value: 1 }, 'UNSUPPORTED_MODEL', /blk\.1\./],
    ['llama.block_count', { type: 'string', value: '2' }, 'FORMAT_TYPE', /expected a number/],
    ['llama.feed_forward_length', { type: 'u32', value: 16 }, 'FORMAT_SHAPE', /ffn_gate/],
    ['llama.embedding_length', { type: 'u32', value: 9 }, 'BAD_CONFIG', /width/],
  ]
  for (const [key, value, code, message] of cases) {
    assert.throws(() => llamaFromGguf(changed(key, value)), { code, message }, key)
  }
})

test('key and value heads that queries share are repeated for each of them', () => {
  const { metadata, tensors } = readGguf(llamaFile)
  // The first four of eight rows [out, in]: one head of D = 4 for two query heads.
  const halved = [...tensors.values()].map((tensor) =>
    /attn_[kv]/.test(tensor.name) ? { ...tensor, shape: [4, 8], bytes: tensor.bytes.slice(0, 4 * 4 * 8) } : tensor,
  )
  const entries = new Map(metadata).set('llama.attention.head_count_kv', { type: 'u32', value: 1 })
  const read = llamaFromGguf(writeGguf([...entries], halved)).weights.get('layer0.attention.key')!
  const whole = weights.get('layer0.attention.key')!
  assert.deepEqual(read.shape, [8, 8])
  for (let r = 0; r < 8; r++) {
    const first = [...whole.values.subarray(r * 8, r * 8 + 4)]
    assert.deepEqual([...read.values.subarray(r * 8, r * 8 + 8)], [...first, ...first])
  }
})

test('f16 weights are read as the f32 they stand for', () => {
  const { metadata, tensors } = readGguf(llamaFile)
  const half: FileTensor = {
    name: 'output_norm.weight',
    type: 'F16',
    shape: [8],
    bytes: Uint8Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 0 : 0x3e)),
  }
  const others = [...tensors.values()].filter(({ name }) => name !== half.name)
  const read = llamaFromGguf(writeGguf([...metadata], [...others, half]))
  assert.deepEqual([...read.weights.get('final.gain')!.values], new Array(8).fill(1.5))
})

test('no damage to a file makes the reader throw anything but a PotluckError [E-42]', () => {
  flipBytes(llamaFile, 3000, llamaFromGguf)
  flipBytes(writeGguf(everyType, [x]), 3000, readGguf)
})
