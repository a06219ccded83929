import { ByteReader } from '../ByteReader.ts'
import { checkOverlaps, type Extent, type FileTensor, shapeBytes } from '../FileTensor.ts'
import { type FormatCode, refusal, shown } from '../refusal.ts'
import { type GgufScalar, type GgufValue, leastBytes, valueTypes } from './GgufValue.ts'
import {
  DEFAULT_ALIGNMENT,
  GGUF_MAGIC,
  GGUF_VERSION,
  MAX_DIMENSIONS,
  MAX_NAME_BYTES,
  tensorTypes,
} from './tensorTypes.ts'

export type GgufFile = {
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: ReadonlyMap<string, FileTensor>
}

/** Lists longer than any vocabulary are refused: as JavaScript values they would take many times their bytes. */
const MAX_LIST = 1 << 22
const MAX_ALIGNMENT = 65536

const refuse = (code: FormatCode, message: string): Error => refusal('GGUF', code, message)

/**
 * The metadata and tensors of a GGUF file (version 3, little-endian); tensors as views, shapes row-major.
 *
 * Tensors of plain numbers are read (F32, F16, BF16, F64 and integers); one in quantised blocks is refused with FORMAT_TYPE. Everything is checked
 * before anything is returned. Cost: linear in the header; no data is copied.
 *
 * @throws PotluckError FORMAT_TRUNCATED, _HEADER, _LIMIT, _TYPE, _SHAPE, _RANGE, _OVERLAP, _GAP, _DUPLICATE, _ALIGNMENT
 */
export function readGguf(file: Uint8Array): GgufFile {
  const reader = new ByteReader(file, 'GGUF')
  const magic = String.fromCharCode(...reader.take(4, 'the magic'))
  if (magic !== GGUF_MAGIC) throw refuse('FORMAT_HEADER', `the file begins with ${shown(magic)}, not with GGUF`)
  const version = reader.u32('the version')
  if (version !== GGUF_VERSION) throw refuse('FORMAT_HEADER', `version ${version}, expected ${GGUF_VERSION}`)
  // A tensor takes at least 32 bytes of header (name, one extent, type, offset), a metadata entry 13.
  const tensorCount = reader.count('the number of tensors', 32)
  const metadataCount = reader.count('the number of metadata entries', 13)
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < metadataCount; i++) {
    const key = readText(reader, `metadata key ${i}`)
    if (metadata.has(key)) throw refuse('FORMAT_DUPLICATE', `two metadata entries are called ${shown(key)}`)
    metadata.set(key, readValue(reader, shown(key)))
  }
  const alignment = readAlignment(metadata)
  const entries = Array.from({ length: tensorCount }, (_, i) => readEntry(reader, i, alignment))
  const start = reader.at + ((alignment - (reader.at % alignment)) % alignment)
  if (tensorCount > 0) reader.take(start - reader.at, 'the padding before the data')
  return { metadata, tensors: placeTensors(entries, file.subarray(Math.min(start, file.length)), alignment) }
}

type Entry = Omit<FileTensor, 'bytes'> & { readonly offset: bigint; readonly size: number }

function readEntry(reader: ByteReader, i: number, alignment: number): Entry {
  const name = readText(reader, `the name of tensor ${i}`, MAX_NAME_BYTES)
  const dimensions = reader.u32(`the rank of ${shown(name)}`)
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw refuse('FORMAT_SHAPE', `tensor ${shown(name)} has ${dimensions} extents, expected 1 to ${MAX_DIMENSIONS}`)
  }
  const shape: number[] = []
  for (let d = 0; d < dimensions; d++) {
    const extent = reader.u64(`extent ${d} of ${shown(name)}`)
    if (extent === 0n || extent > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw refuse('FORMAT_SHAPE', `tensor ${shown(name)} has an extent of ${extent}`)
    }
    shape.unshift(Number(extent))
  }
  const number = reader.u32(`the type of ${shown(name)}`)
  const type = tensorTypes.get(number)
  if (type === undefined) {
    const message = `tensor ${shown(name)} is stored as ggml type ${number} (quantised); convert the file to F32 or F16 first`
    throw refuse('FORMAT_TYPE', message)
  }
  const offset = reader.u64(`the offset of ${shown(name)}`)
  if (offset % BigInt(alignment) !== 0n) {
    throw refuse('FORMAT_ALIGNMENT', `tensor ${shown(name)} starts at ${offset}, which is no multiple of ${alignment}`)
  }
  return { name, type, shape, offset, size: shapeBytes('GGUF', name, shape, type) }
}

function placeTensors(entries: readonly Entry[], data: Uint8Array, alignment: number): Map<string, FileTensor> {
  const tensors = new Map<string, FileTensor>()
  const extents: Extent[] = []
  for (const { name, type, shape, offset, size } of entries) {
    if (tensors.has(name)) throw refuse('FORMAT_DUPLICATE', `two tensors are called ${shown(name)}`)
    const end = offset + BigInt(size)
    if (end > BigInt(data.length)) {
      throw refuse('FORMAT_RANGE', `tensor ${shown(name)} ends at byte ${end} of the data, which has ${data.length}`)
    }
    const start = Number(offset)
    extents.push({ name, start, end: start + size })
    tensors.set(name, { name, type, shape, bytes: data.subarray(start, start + size) })
  }
  let at = 0
  for (const { name, start, end } of checkOverlaps('GGUF', extents)) {
    // Between two tensors only the padding to the next boundary is free.
    if (start >= at + alignment) {
      throw refuse('FORMAT_GAP', `no tensor owns bytes ${at} to ${start}, before ${shown(name)}`)
    }
    at = end
  }
  if (data.length >= at + alignment) throw refuse('FORMAT_GAP', `no tensor owns the last ${data.length - at} bytes`)
  return tensors
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>): number {
  const entry = metadata.get('general.alignment')
  if (entry === undefined) return DEFAULT_ALIGNMENT
  const isPower = entry.type === 'u32' && entry.value > 0 && (entry.value & (entry.value - 1)) === 0
  if (!isPower || entry.value < 8 || entry.value > MAX_ALIGNMENT) {
    throw refuse('FORMAT_ALIGNMENT', 'general.alignment must be a u32, a power of two from 8 to 65536')
  }
  return entry.value
}

function readText(reader: ByteReader, what: string, most = Number.MAX_SAFE_INTEGER): string {
  const length = reader.count(`the length of ${what}`, 1)
  if (length > most) throw refuse('FORMAT_LIMIT', `${what} has ${length} bytes, at most ${most} are read`)
  return reader.text(length, what)
}

function readValue(reader: ByteReader, key: string): GgufValue {
  const type = readType(reader, key)
  if (type !== 'array') return readScalar(reader, type, key)
  const of = readType(reader, `the items of ${key}`)
  if (of === 'array') throw refuse('FORMAT_TYPE', `metadata ${key} is a list of lists, which is not read`)
  const length = reader.count(`the length of ${key}`, leastBytes[of])
  if (length > MAX_LIST) throw refuse('FORMAT_LIMIT', `metadata ${key} has ${length} items, at most ${MAX_LIST}`)
  return { type, of, values: Array.from({ length }, () => readScalar(reader, of, key).value) }
}

function readType(reader: ByteReader, key: string): GgufValue['type'] {
  const number = reader.u32(`the type of ${key}`)
  const type = valueTypes[number]
  if (type === undefined) throw refuse('FORMAT_TYPE', `metadata ${key} has the unknown type ${number}`)
  return type
}

function readScalar(reader: ByteReader, type: GgufScalar['type'], key: string): GgufScalar {
  if (type === 'string') return { type, value: readText(reader, key) }
  if (type === 'bool') {
    const value = reader.u8(key)
    if (value > 1) throw refuse('FORMAT_HEADER', `metadata ${key} is a bool of ${value}, expected 0 or 1`)
    return { type, value: value === 1 }
  }
  if (type === 'u64' || type === 'i64') return { type, value: reader[type](key) }
  return { type, value: reader[type](key) }
}
