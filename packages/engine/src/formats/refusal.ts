import { type Facts, PotluckError } from '@potluck/protocol'

export type FileFormat = 'safetensors' | 'GGUF' | 'ONNX'

/**
 * Why a file was refused. TRUNCATED: it ends before what it announces. HEADER: it cannot be read as this format.
 * LIMIT: a count above what any honest file has. TYPE: a kind of number not read here. SHAPE: extents that are not
 * whole numbers from 0, or whose product no memory holds. SIZE: bytes that do not fit the shape. RANGE: bytes outside
 * the file. OVERLAP, GAP: tensors that share bytes or leave some out. DUPLICATE: one name twice. ALIGNMENT: a tensor
 * off its boundary. MISSING: a part that the model needs.
 */
export type FormatCode =
  | 'FORMAT_TRUNCATED'
  | 'FORMAT_HEADER'
  | 'FORMAT_LIMIT'
  | 'FORMAT_TYPE'
  | 'FORMAT_SHAPE'
  | 'FORMAT_SIZE'
  | 'FORMAT_RANGE'
  | 'FORMAT_OVERLAP'
  | 'FORMAT_GAP'
  | 'FORMAT_DUPLICATE'
  | 'FORMAT_ALIGNMENT'
  | 'FORMAT_MISSING'

/** The error to throw about a file; nothing the file claims has been allocated by then. */
export const refusal = (format: FileFormat, code: FormatCode, message: string, facts: Facts = {}): PotluckError =>
  new PotluckError(code, `${format}: ${message}`, { format, ...facts })

const MOST_SHOWN = 60

/** A name or value out of a hostile file, quoted and cut so that it fits an error message. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN)}…` : value)
  }
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  return String(value)
}
