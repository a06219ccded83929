import { littleEndianBytes } from '@potluck/engine'
import { PotluckError, sha256, utf8 } from '@potluck/protocol'
import { blockBytes, readBlocks, writeBlocks } from './blockCodes.ts'
import { type Compression, checkLength } from './Compression.ts'
import { readReals } from './readReals.ts'

/**
 * What was not sent, in bytes: a worker keeps it between rounds in this form and no other, so that its hash in a claim fixes the next
 * update and an auditor who is given the bytes computes the same (L-26). 32 bits: the values in f32, little-endian; 4 or 8: `writeBlocks`.
 */
export function encodeFeedback(residual: Float32Array, bits: 4 | 8 | 32): Uint8Array {
  if (bits === 32) return littleEndianBytes(residual).slice()
  const bytes = new Uint8Array(blockBytes(residual.length, bits))
  writeBlocks(residual, bits, bytes, 0)
  return bytes
}

/**
 * The residual that a round starts from.
 *
 * @throws PotluckError BAD_FEEDBACK_SIZE, BAD_SCALE, NAN, NOT_CANONICAL
 */
export function decodeFeedback(bytes: Uint8Array, length: number, bits: 4 | 8 | 32): Float32Array {
  checkLength(length)
  const expected = bits === 32 ? 4 * length : blockBytes(length, bits)
  if (bytes.length !== expected) {
    throw new PotluckError(
      'BAD_FEEDBACK_SIZE',
      `feedback of ${length} values in ${bits} bits is ${expected} bytes, got ${bytes.length}`,
      {
        length: bytes.length,
        expected,
      },
    )
  }
  return bits === 32 ? readReals(bytes, 0, length) : readBlocks(bytes, 0, length, bits)
}

/**
 * What a signed update says about the feedback it leaves behind: SHA-256 of its bytes, or zeros where nothing is carried over. The next
 * update starts from the bytes with this hash (L-26), which a picked worker publishes.
 */
export function feedbackHash(residual: Float32Array | undefined, how: Compression): Uint8Array {
  if (how.kind !== 'topk' || how.feedback === 0 || !residual) return new Uint8Array(32)
  return sha256(utf8('potluck feedback'), encodeFeedback(residual, how.feedback))
}
