import { PotluckError } from '@potluck/protocol'
import { ByteWriter } from '../ByteWriter.ts'
import { type FileTensor, shapeBytes } from '../FileTensor.ts'
import { refusal, shown } from '../refusal.ts'
import { type GgufScalar, type GgufValue, valueTypes } from './GgufValue.ts'
import {
  DEFAULT_ALIGNMENT,
  GGUF_MAGIC,
  GGUF_VERSION,
  MAX_DIMENSIONS,
  MAX_NAME_BYTES,
  tensorTypeNumber,
} from './tensorTypes.ts'

const utf8 = new TextEncoder()

/**
 * A GGUF file, version 3, little-endian, alignment 32: metadata and tensors in the order given.
 *
 * Shapes are row-major, as everywhere here; the file lists the extents the other way round. Source: docs/gguf.md of ggml.
 *
 * @throws PotluckError FORMAT_TYPE, FORMAT_SIZE, FORMAT_SHAPE, FORMAT_DUPLICATE; BAD_NAME for a name above 63 bytes
 */
export function writeGguf(
  metadata: readonly (readonly [key: string, value: GgufValue])[],
  tensors: readonly FileTensor[],
): Uint8Array {
  const names = new Set<string>()
  const file = new ByteWriter().text(GGUF_MAGIC).u32(GGUF_VERSION).u64(tensors.length).u64(metadata.length)
  for (const [key, value] of metadata) {
    if (names.has(key)) throw refusal('GGUF', 'FORMAT_DUPLICATE', `two metadata entries are called ${shown(key)}`)
    names.add(key)
    putText(file, key)
    file.u32(valueTypes.indexOf(value.type))
    if (value.type !== 'array') {
      putScalar(file, value.type, value.value)
      continue
    }
    file.u32(valueTypes.indexOf(value.of)).u64(value.values.length)
    for (const item of value.values) putScalar(file, value.of, item)
  }
  names.clear()
  let offset = 0
  for (const tensor of tensors) {
    checkTensor(tensor, names)
    const { name, type, shape, bytes } = tensor
    putText(file, name)
    file.u32(shape.length)
    for (const extent of [...shape].reverse()) file.u64(extent)
    file.u32(tensorTypeNumber.get(type)!).u64(offset)
    offset += bytes.length + ((DEFAULT_ALIGNMENT - (bytes.length % DEFAULT_ALIGNMENT)) % DEFAULT_ALIGNMENT)
  }
  file.pad(DEFAULT_ALIGNMENT)
  for (const { bytes } of tensors) file.put(bytes).pad(DEFAULT_ALIGNMENT)
  return file.finish().slice()
}

function checkTensor({ name, type, shape, bytes }: FileTensor, names: Set<string>): void {
  if (names.has(name)) throw refusal('GGUF', 'FORMAT_DUPLICATE', `two tensors are called ${shown(name)}`)
  names.add(name)
  if (utf8.encode(name).length > MAX_NAME_BYTES) {
    throw new PotluckError('BAD_NAME', `a tensor name has at most ${MAX_NAME_BYTES} bytes, got ${shown(name)}`)
  }
  if (!tensorTypeNumber.has(type)) throw refusal('GGUF', 'FORMAT_TYPE', `tensor ${shown(name)}: no ${type} in GGUF`)
  if (shape.length < 1 || shape.length > MAX_DIMENSIONS || shape.includes(0)) {
    const message = `tensor ${shown(name)} takes 1 to ${MAX_DIMENSIONS} extents from 1, got [${shape.join(', ')}]`
    throw refusal('GGUF', 'FORMAT_SHAPE', message)
  }
  const expected = shapeBytes('GGUF', name, shape, type)
  if (bytes.length !== expected) {
    const message = `tensor ${shown(name)} has ${bytes.length} bytes, its shape [${shape.join(', ')}] takes ${expected}`
    throw refusal('GGUF', 'FORMAT_SIZE', message)
  }
}

function putText(file: ByteWriter, text: string): void {
  const bytes = utf8.encode(text)
  file.u64(bytes.length).put(bytes)
}

function putScalar(file: ByteWriter, type: GgufScalar['type'], value: number | bigint | boolean | string): void {
  if (type === 'string') putText(file, String(value))
  else if (type === 'bool') file.u8(value ? 1 : 0)
  else if (type === 'u64' || type === 'i64') file.u64(BigInt.asUintN(64, BigInt(value)))
  else if (type === 'f32') file.f32(Number(value))
  else if (type === 'f64') file.f64(Number(value))
  else if (type === 'u8' || type === 'i8') file.u8(Number(value) & 255)
  else if (type === 'u16' || type === 'i16') file.u16(Number(value) & 65535)
  else file.u32(Number(value) >>> 0)
}
