import { ByteReader } from '../ByteReader.ts'
import { checkOverlaps, type Extent, type FileTensor, isElementType, shapeBytes } from '../FileTensor.ts'
import { type FormatCode, refusal, shown } from '../refusal.ts'
import { findDuplicateKey } from './findDuplicateKey.ts'

/** The limit of the reference implementation: 100 MB of header. */
const MAX_HEADER_BYTES = 100_000_000

export type SafetensorsFile = {
  readonly tensors: ReadonlyMap<string, FileTensor>
  readonly metadata: Readonly<Record<string, string>>
}

const refuse = (code: FormatCode, message: string): Error => refusal('safetensors', code, message)

/**
 * The tensors of a file, as views into it, and its `__metadata__`.
 *
 * Everything is checked before anything is returned: header inside the file, JSON without repeated keys, known types, shapes that fit their bytes,
 * data covered without gap or overlap to the last byte. Cost: linear in the header; no data is copied.
 *
 * @throws PotluckError FORMAT_TRUNCATED, _HEADER, _LIMIT, _TYPE, _SHAPE, _SIZE, _RANGE, _OVERLAP, _GAP, _DUPLICATE
 */
export function readSafetensors(file: Uint8Array): SafetensorsFile {
  const reader = new ByteReader(file, 'safetensors')
  const claimed = reader.u64('the length of the header')
  if (claimed > BigInt(MAX_HEADER_BYTES)) {
    throw refuse('FORMAT_LIMIT', `the header claims ${claimed} bytes, at most ${MAX_HEADER_BYTES} are read`)
  }
  const header = parseHeader(reader.text(Number(claimed), 'the header'))
  const data = file.subarray(reader.at)
  const tensors = new Map<string, FileTensor>()
  const extents: Extent[] = []
  let metadata: Record<string, string> = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = readMetadata(entry)
      continue
    }
    const { type, shape, start, end } = readEntry(name, entry)
    const bytes = shapeBytes('safetensors', name, shape, type)
    if (end > data.length) {
      const message = `tensor ${shown(name)} ends at byte ${end} of the data, which has ${data.length}`
      throw refuse('FORMAT_RANGE', message)
    }
    if (end - start !== bytes) {
      const message = `tensor ${shown(name)} has ${end - start} bytes, ${type} of shape [${shape.join(', ')}] takes ${bytes}`
      throw refuse('FORMAT_SIZE', message)
    }
    extents.push({ name, start, end })
    tensors.set(name, { name, type, shape, bytes: data.subarray(start, end) })
  }
  checkCovered(checkOverlaps('safetensors', extents), data.length)
  return { tensors, metadata }
}

function parseHeader(text: string): Record<string, unknown> {
  let header: unknown
  try {
    header = JSON.parse(text)
  } catch (cause) {
    throw refuse('FORMAT_HEADER', `the header is not JSON (${cause instanceof Error ? cause.message : cause})`)
  }
  if (!text.startsWith('{') || !isObject(header)) throw refuse('FORMAT_HEADER', 'the header is not a JSON object')
  const key = findDuplicateKey(text)
  if (key !== undefined) throw refuse('FORMAT_DUPLICATE', `the header has the key ${shown(key)} twice`)
  return header
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readMetadata(entry: unknown): Record<string, string> {
  if (!isObject(entry)) throw refuse('FORMAT_HEADER', `__metadata__ is ${shown(entry)}, expected an object of texts`)
  for (const [label, value] of Object.entries(entry)) {
    if (typeof value !== 'string') {
      throw refuse('FORMAT_HEADER', `__metadata__ ${shown(label)} is ${shown(value)}, expected a text`)
    }
  }
  return entry as Record<string, string>
}

type Entry = { type: FileTensor['type']; shape: number[]; start: number; end: number }

function readEntry(name: string, entry: unknown): Entry {
  if (!isObject(entry)) throw refuse('FORMAT_HEADER', `tensor ${shown(name)} is ${shown(entry)}, expected an object`)
  const { dtype, shape, data_offsets: offsets, ...rest } = entry
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw refuse('FORMAT_HEADER', `tensor ${shown(name)} has an unknown key ${shown(unknown)}`)
  if (typeof dtype !== 'string') throw refuse('FORMAT_HEADER', `tensor ${shown(name)} has no dtype`)
  if (!isElementType(dtype)) throw refuse('FORMAT_TYPE', `tensor ${shown(name)} has the unknown dtype ${shown(dtype)}`)
  if (!Array.isArray(shape)) throw refuse('FORMAT_HEADER', `tensor ${shown(name)} has no shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2) {
    throw refuse('FORMAT_HEADER', `tensor ${shown(name)} needs data_offsets [start, end]`)
  }
  const [start, end] = offsets as [unknown, unknown]
  const isPlace = (value: unknown): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  if (!isPlace(start) || !isPlace(end) || start > end) {
    throw refuse('FORMAT_RANGE', `tensor ${shown(name)} has data_offsets ${shown(start)} to ${shown(end)}`)
  }
  return { type: dtype, shape: shape as number[], start, end }
}

function checkCovered(extents: readonly Extent[], length: number): void {
  let at = 0
  for (const { name, start, end } of extents) {
    if (start > at) throw refuse('FORMAT_GAP', `no tensor owns bytes ${at} to ${start}, before ${shown(name)}`)
    at = end
  }
  if (at < length) throw refuse('FORMAT_GAP', `no tensor owns the last ${length - at} bytes`)
}
