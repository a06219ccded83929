import type { ElementType } from '../FileTensor.ts'

/** Type numbers of ggml for the kinds that are plain numbers; all others are quantised in blocks. */
export const tensorTypes: ReadonlyMap<number, ElementType> = new Map([
  [0, 'F32'],
  [1, 'F16'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [30, 'BF16'],
])

export const tensorTypeNumber: ReadonlyMap<ElementType, number> = new Map(
  [...tensorTypes].map(([number, type]) => [type, number]),
)

export const GGUF_MAGIC = 'GGUF'
export const GGUF_VERSION = 3
export const DEFAULT_ALIGNMENT = 32
/** The limits of ggml: names of 63 bytes, four dimensions. */
export const MAX_NAME_BYTES = 63
export const MAX_DIMENSIONS = 4
