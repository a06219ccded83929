import { PotluckError } from '@potluck/protocol'

/** How an update is written for the wire (L-21). It belongs to the job: everyone in it writes the same way. */
export type Compression =
  | { readonly kind: 'f32' }
  /** Every value in so many bits. Nothing is carried over to the next round. */
  | { readonly kind: 'dense'; readonly bits: 2 | 4 | 8 }
  /** The `keep` largest of each chunk of 4096 values, in 2 bits each. `feedback`: bits in which what was not sent is kept; 0: it is dropped; 32: exact. */
  | { readonly kind: 'topk'; readonly keep: number; readonly feedback: 0 | 4 | 8 | 32 }

/** Values that share their scales and, of the largest, their number. */
export const CHUNK = 4096

/** 2^28 values are 1 GiB in f32: no job of this network is longer, and every index fits a word. */
export const LARGEST_LENGTH = 268_435_456

/** The first byte of an update. Never renumber. */
export function codecOf(how: Compression): number {
  if (how.kind === 'f32') return 0
  if (how.kind === 'topk') return 4
  return how.bits === 2 ? 1 : how.bits === 4 ? 2 : 3
}

/** Throws BAD_COMPRESSION with the field, what it must be and the value seen. */
export function checkCompression(how: Compression): void {
  const refuse = (field: string, allowed: string, value: unknown): never => {
    throw new PotluckError('BAD_COMPRESSION', `compression.${field} must be ${allowed}, got ${value}`, { field })
  }
  const { kind } = how
  if (kind === 'dense') {
    if (![2, 4, 8].includes(how.bits)) refuse('bits', '2, 4 or 8', how.bits)
  } else if (kind === 'topk') {
    if (!Number.isInteger(how.keep) || how.keep < 1 || how.keep > CHUNK) {
      refuse('keep', `a whole number from 1 to ${CHUNK}`, how.keep)
    }
    if (![0, 4, 8, 32].includes(how.feedback)) refuse('feedback', '0, 4, 8 or 32', how.feedback)
  } else if (kind !== 'f32') refuse('kind', 'f32, dense or topk', kind)
}

/** Throws SHAPE unless it is the length of a model. */
export function checkLength(length: number): void {
  if (!Number.isInteger(length) || length < 1 || length > LARGEST_LENGTH) {
    throw new PotluckError('SHAPE', `an update has 1 to ${LARGEST_LENGTH} values, got ${length}`, { length })
  }
}
