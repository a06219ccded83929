import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FileTensor, float32Tensor } from '../FileTensor.ts'
import { flipBytes } from '../test/flipBytes.ts'
import { toFloat32 } from '../toFloat32.ts'
import { modelFromSafetensors, modelToSafetensors } from './modelSafetensors.ts'
import { readSafetensors } from './readSafetensors.ts'
import { writeSafetensors } from './writeSafetensors.ts'

const utf8 = new TextEncoder()

/** By doubling and halving, which is exact. */
const powerOfTwo = (n: number): number => (n === 0 ? 1 : n > 0 ? 2 * powerOfTwo(n - 1) : powerOfTwo(n + 1) / 2)

/** A file with any header and so much data. */
function fileOf(header: string, dataBytes: number, claimed?: bigint): Uint8Array {
  const text = utf8.encode(header)
  const file = new Uint8Array(8 + text.length + dataBytes)
  new DataView(file.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true)
  file.set(text, 8)
  return file
}

const b = float32Tensor('b', [2], Float32Array.of(1, -2))
const a: FileTensor = { name: 'a', type: 'U8', shape: [1, 3], bytes: Uint8Array.of(7, 8, 9) }

test('two tensors have the bytes worked out by hand, in whatever order they are given [E-41]', () => {
  const header =
    '{"__metadata__":{"k":"v"},"a":{"data_offsets":[0,3],"dtype":"U8","shape":[1,3]},"b":{"data_offsets":[3,11],"dtype":"F32","shape":[2]}}'
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8)
  const data = [7, 8, 9, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
  const expected = [padded.length, 0, 0, 0, 0, 0, 0, 0, ...utf8.encode(padded), ...data]
  assert.deepEqual([...writeSafetensors([b, a], { k: 'v' })], expected)
  assert.deepEqual(writeSafetensors([a, b], { k: 'v' }), writeSafetensors([b, a], { k: 'v' }))
})

test('what was written is read back, as views into the file', () => {
  const empty: FileTensor = { name: 'empty', type: 'F16', shape: [0, 4], bytes: new Uint8Array(0) }
  const file = writeSafetensors([a, b, empty], { 'ä"': '\n' })
  const { tensors, metadata } = readSafetensors(file)
  assert.deepEqual(metadata, { 'ä"': '\n' })
  assert.deepEqual([...tensors.keys()], ['a', 'b', 'empty'])
  assert.deepEqual([...toFloat32(tensors.get('b')!)], [1, -2])
  assert.deepEqual([...tensors.get('a')!.bytes], [7, 8, 9])
  assert.equal(tensors.get('a')!.bytes.buffer, file.buffer)
  assert.deepEqual(tensors.get('empty')!.shape, [0, 4])
  assert.equal(readSafetensors(writeSafetensors([])).tensors.size, 0)
})

test('half and brain floats and integers become the f32 they stand for [E-42]', () => {
  const of = (type: FileTensor['type'], bytes: number[], count: number): number[] => [
    ...toFloat32({ name: 'x', type, shape: [count], bytes: Uint8Array.from(bytes) }),
  ]
  // 1.5, -2, the smallest subnormal, the largest subnormal, 65504, -infinity, -0
  const halves = [0x3e00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0xfc00, 0x8000]
  const expected = [1.5, -2, powerOfTwo(-24), 1023 * powerOfTwo(-24), 65504, Number.NEGATIVE_INFINITY, -0]
  const bytesOf = (list: number[]): number[] => list.flatMap((half) => [half & 255, half >> 8])
  assert.deepEqual(of('F16', bytesOf(halves), 7), expected)
  assert.deepEqual(of('BF16', bytesOf([0x3fc0, 0xc000, 0x0001]), 3), [1.5, -2, powerOfTwo(-66) * powerOfTwo(-67)])
  assert.deepEqual(of('I64', [255, 255, 255, 255, 255, 255, 255, 255], 1), [-1])
  assert.deepEqual(of('U64', [255, 255, 255, 255, 255, 255, 255, 255], 1), [powerOfTwo(64)])
  assert.deepEqual(of('I32', [254, 255, 255, 255], 1), [-2])
  assert.deepEqual(of('U16', [0, 255], 1), [65280])
  assert.deepEqual(of('I8', [128, 1], 2), [-128, 1])
  assert.deepEqual(of('BOOL', [0, 1], 2), [0, 1])
  assert.throws(() => of('F16', bytesOf([0, 0x7e00]), 2), { code: 'NAN', message: /"x" holds NaN at element 1/ })
})

test('every half float has the value of the definition', () => {
  for (let half = 0; half < 0x7c00; half++) {
    const [exponent, mantissa] = [half >> 10, half & 1023]
    const value = exponent === 0 ? mantissa * powerOfTwo(-24) : (1 + mantissa / 1024) * powerOfTwo(exponent - 15)
    const bytes = Uint8Array.of(half & 255, half >> 8, half & 255, (half >> 8) | 128)
    const [plus, minus] = toFloat32({ name: 'h', type: 'F16', shape: [2], bytes })
    assert.ok(plus === value && minus === -value, `half ${half}`)
  }
})

test('a file that lies is refused with what is wrong [E-42]', () => {
  const tensor = (more: string): string => `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]${more}}}`
  const entry = (dtype: string, shape: string, offsets: string): string =>
    `{"a":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`
  const two = (first: string, second: string): string =>
    `{"a":{"dtype":"U8","shape":[4],"data_offsets":${first}},"b":{"dtype":"U8","shape":[4],"data_offsets":${second}}}`
  const cases: [string, Uint8Array, string][] = [
    ['no length', Uint8Array.of(1, 2, 3), 'FORMAT_TRUNCATED'],
    ['header beyond the file', fileOf('{}', 0, 64n), 'FORMAT_TRUNCATED'],
    ['header of 10 GB', fileOf('{}', 0, 10_000_000_000n), 'FORMAT_LIMIT'],
    ['header of 2^64 - 1', fileOf('{}', 0, 0xffffffffffffffffn), 'FORMAT_LIMIT'],
    ['header cut short', fileOf('{}', 0, 1n), 'FORMAT_HEADER'],
    ['no JSON', fileOf('{"a":', 0), 'FORMAT_HEADER'],
    ['no object', fileOf('[1]', 0), 'FORMAT_HEADER'],
    ['leading space', fileOf(' {}', 0), 'FORMAT_HEADER'],
    ['no UTF-8', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe), 'FORMAT_HEADER'],
    ['deep nesting', fileOf(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 0), 'FORMAT_HEADER'],
    ['a name twice', fileOf(`{"a":${'{}'},"a":{}}`, 0), 'FORMAT_DUPLICATE'],
    ['an escaped name twice', fileOf('{"a":{},"\\u0061":{}}', 0), 'FORMAT_DUPLICATE'],
    ['a key twice', fileOf(tensor(',"shape":[2]'), 8), 'FORMAT_DUPLICATE'],
    ['an unknown key', fileOf(tensor(',"x":1'), 8), 'FORMAT_HEADER'],
    ['metadata of numbers', fileOf('{"__metadata__":{"a":1}}', 0), 'FORMAT_HEADER'],
    ['metadata as a list', fileOf('{"__metadata__":[]}', 0), 'FORMAT_HEADER'],
    ['tensor as a number', fileOf('{"a":1}', 0), 'FORMAT_HEADER'],
    ['no dtype', fileOf('{"a":{"shape":[],"data_offsets":[0,4]}}', 4), 'FORMAT_HEADER'],
    ['unknown dtype', fileOf(entry('"F4"', '[2]', '[0,8]'), 8), 'FORMAT_TYPE'],
    ['dtype out of the prototype', fileOf(entry('"toString"', '[2]', '[0,8]'), 8), 'FORMAT_TYPE'],
    ['no shape', fileOf(entry('"F32"', '2', '[0,8]'), 8), 'FORMAT_HEADER'],
    ['negative extent', fileOf(entry('"F32"', '[-2]', '[0,8]'), 8), 'FORMAT_SHAPE'],
    ['broken extent', fileOf(entry('"F32"', '[2.5]', '[0,8]'), 8), 'FORMAT_SHAPE'],
    ['text as extent', fileOf(entry('"F32"', '["2"]', '[0,8]'), 8), 'FORMAT_SHAPE'],
    ['extents beyond any file', fileOf(entry('"F32"', '[4294967296,4294967296]', '[0,8]'), 8), 'FORMAT_SHAPE'],
    ['extent of 1e300', fileOf(entry('"F32"', '[1e300]', '[0,8]'), 8), 'FORMAT_SHAPE'],
    ['10 GB claimed', fileOf(entry('"F32"', '[2500000000]', '[0,10000000000]'), 8), 'FORMAT_RANGE'],
    ['wrong size for the shape', fileOf(entry('"F32"', '[3]', '[0,8]'), 8), 'FORMAT_SIZE'],
    ['start after end', fileOf(entry('"F32"', '[2]', '[8,0]'), 8), 'FORMAT_RANGE'],
    ['negative offset', fileOf(entry('"F32"', '[2]', '[-8,0]'), 8), 'FORMAT_RANGE'],
    ['three offsets', fileOf(entry('"F32"', '[2]', '[0,8,9]'), 8), 'FORMAT_HEADER'],
    ['tensor past the end', fileOf(entry('"F32"', '[2]', '[4,12]'), 8), 'FORMAT_RANGE'],
    ['data cut short', fileOf(tensor(''), 7), 'FORMAT_RANGE'],
    ['data left over', fileOf(tensor(''), 9), 'FORMAT_GAP'],
    ['overlap', fileOf(two('[0,4]', '[3,7]'), 7), 'FORMAT_OVERLAP'],
    ['one place for two', fileOf(two('[0,4]', '[0,4]'), 4), 'FORMAT_OVERLAP'],
    ['hole', fileOf(two('[0,4]', '[5,9]'), 9), 'FORMAT_GAP'],
    ['hole in front', fileOf(entry('"F32"', '[2]', '[1,9]'), 9), 'FORMAT_GAP'],
  ]
  for (const [name, file, code] of cases) assert.throws(() => readSafetensors(file), { code }, name)
  assert.throws(() => readSafetensors(fileOf(two('[0,4]', '[5,9]'), 9)), {
    message: 'safetensors: no tensor owns bytes 4 to 5, before "b"',
  })
})

test('what cannot be written is refused', () => {
  assert.throws(() => writeSafetensors([a, { ...b, name: 'a' }]), { code: 'FORMAT_DUPLICATE' })
  assert.throws(() => writeSafetensors([{ ...a, shape: [4] }]), { code: 'FORMAT_SIZE' })
  assert.throws(() => writeSafetensors([{ ...a, shape: [-3] }]), { code: 'FORMAT_SHAPE' })
  assert.throws(() => writeSafetensors([{ ...a, name: '__metadata__' }]), { code: 'BAD_NAME' })
})

test('a model goes through a file with its config; the order of keys changes no byte [E-41]', () => {
  const weights = new Map([
    ['layer0', { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }],
    ['layer0.bias', { shape: [2], values: Float32Array.of(5, 6) }],
  ])
  const file = modelToSafetensors({ kind: 'logistic', inputs: 2, classes: 2 }, weights)
  assert.deepEqual(
    file,
    modelToSafetensors({ classes: 2, kind: 'logistic', inputs: 2 }, new Map([...weights].reverse())),
  )
  assert.deepEqual(modelFromSafetensors(file), { config: { kind: 'logistic', inputs: 2, classes: 2 }, weights })
  const other = writeSafetensors([a], { 'potluck.model': '{"kind":"logistic","inputs":0,"classes":2}' })
  assert.throws(() => modelFromSafetensors(other), { code: 'BAD_CONFIG' })
  const broken = writeSafetensors([a], { 'potluck.model': '{' })
  assert.throws(() => modelFromSafetensors(broken), { code: 'FORMAT_HEADER' })
  assert.equal(modelFromSafetensors(writeSafetensors([a])).config, undefined)
})

test('no damage to a file makes the reader throw anything but a PotluckError [E-42]', () => {
  const file = modelToSafetensors(
    { kind: 'logistic', inputs: 2, classes: 2 },
    new Map([['layer0', { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }]]),
  )
  flipBytes(file, 3000, (damaged) => modelFromSafetensors(damaged))
})
