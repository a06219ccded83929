import { equalBytes, PotluckError } from '@potluck/protocol'
import { blockBytes, readBlocks } from './blockCodes.ts'
import { type Compression, checkCompression, checkLength, codecOf } from './Compression.ts'
import { readSparse, writeSparse } from './codeSparse.ts'
import { readReals } from './readReals.ts'
import { readTwoBits, twoBitBytes } from './twoBitCodes.ts'

/**
 * The update that bytes stand for (L-25). Every update has exactly one form in bytes, and anything else is refused: a copy with a changed
 * byte is a changed update. Memory is that of `length` values, whatever the bytes say.
 *
 * @param length values of the job's model
 * @throws PotluckError WRONG_CODEC, TRUNCATED_UPDATE, TRAILING_BYTES, BAD_SCALE, NAN, NOT_CANONICAL
 */
export function decodeUpdate(bytes: Uint8Array, length: number, how: Compression): Float32Array {
  checkCompression(how)
  checkLength(length)
  const codec = codecOf(how)
  if (bytes.length > 0 && bytes[0] !== codec) {
    throw new PotluckError(
      'WRONG_CODEC',
      `codec ${bytes[0]} in an update of a job that takes codec ${codec} (${how.kind})`,
      {
        codec: bytes[0]!,
        expected: codec,
      },
    )
  }
  if (how.kind === 'topk') {
    if (bytes.length < 2) checkSize(bytes, 2)
    const update = readSparse(bytes, 1, length, how.keep)
    if (!equalBytes(bytes, encodeSparse(update, how.keep))) {
      throw new PotluckError('NOT_CANONICAL', 'the bytes are not those that this update is written in')
    }
    return update
  }
  if (how.kind === 'f32') {
    checkSize(bytes, 1 + 4 * length)
    return readReals(bytes, 1, length)
  }
  checkSize(bytes, 1 + (how.bits === 2 ? twoBitBytes(length) : blockBytes(length, how.bits)))
  return how.bits === 2 ? readTwoBits(bytes, 1, length) : readBlocks(bytes, 1, length, how.bits)
}

/** A sparse update with its codec byte. */
export const encodeSparse = (update: Float32Array, keep: number): Uint8Array =>
  writeSparse(update, keep, Uint8Array.of(codecOf({ kind: 'topk', keep, feedback: 0 })))

function checkSize(bytes: Uint8Array, expected: number): void {
  const { length } = bytes
  if (length < expected) {
    throw new PotluckError('TRUNCATED_UPDATE', `the update has ${length} bytes of ${expected}; fetch it again`, {
      length,
      expected,
    })
  }
  if (length > expected) {
    throw new PotluckError('TRAILING_BYTES', `the update has ${length} bytes, ${length - expected} too many`, {
      length,
      expected,
    })
  }
}
