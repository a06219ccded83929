import { littleEndianBytes } from '../program/littleEndianBytes.ts'
import { type FileFormat, refusal, shown } from './refusal.ts'

/** Bytes of one element. The names are those of safetensors. */
export const elementBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const

export type ElementType = keyof typeof elementBytes

/** One tensor of a file: row-major, little-endian. */
export type FileTensor = {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly number[]
  /** Exactly the product of the shape times the element's bytes; after reading, a view into the file. */
  readonly bytes: Uint8Array
}

export const isElementType = (type: unknown): type is ElementType =>
  typeof type === 'string' && Object.hasOwn(elementBytes, type)

/** An f32 tensor over a copy-free view of `values` (on little-endian machines). */
export const float32Tensor = (name: string, shape: readonly number[], values: Float32Array): FileTensor => ({
  name,
  type: 'F32',
  shape,
  bytes: littleEndianBytes(values),
})

/**
 * The bytes a shape takes; 0 when an extent is 0.
 *
 * @throws PotluckError FORMAT_SHAPE for an extent that is not a whole number from 0, or a product no file can hold
 */
export function shapeBytes(format: FileFormat, name: string, shape: readonly unknown[], type: ElementType): number {
  let bytes: number = elementBytes[type]
  for (const extent of shape) {
    if (typeof extent !== 'number' || !Number.isSafeInteger(extent) || extent < 0) {
      throw refusal(
        format,
        'FORMAT_SHAPE',
        `tensor ${shown(name)}: extents are whole numbers from 0, got ${shown(extent)}`,
      )
    }
  }
  if (shape.includes(0)) return 0
  for (const extent of shape as readonly number[]) {
    bytes *= extent
    if (bytes > Number.MAX_SAFE_INTEGER) {
      throw refusal(format, 'FORMAT_SHAPE', `tensor ${shown(name)}: no file holds the shape [${shape.join(', ')}]`)
    }
  }
  return bytes
}

/** Where a tensor's bytes lie: [start, end) in the data of a file. */
export type Extent = { readonly name: string; readonly start: number; readonly end: number }

/** The extents by start; throws FORMAT_OVERLAP for the first two that share a byte. */
export function checkOverlaps(format: FileFormat, extents: readonly Extent[]): Extent[] {
  const sorted = extents.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start)
  for (const [i, { name, start }] of sorted.entries()) {
    const last = sorted[i - 1]
    if (last && start < last.end) {
      const names = `${shown(last.name)} and ${shown(name)}`
      throw refusal(format, 'FORMAT_OVERLAP', `tensors ${names} share bytes from ${start}`, { at: start })
    }
  }
  return sorted
}
