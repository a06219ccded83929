import { littleEndianBytes } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { blockBytes, readBlocks, writeBlocks } from './blockCodes.ts'
import { type Compression, checkCompression, checkLength, codecOf } from './Compression.ts'
import { encodeSparse } from './decodeUpdate.ts'
import { decodeFeedback, encodeFeedback } from './feedback.ts'
import { keepLargest } from './keepLargest.ts'
import { readTwoBits, twoBitBytes, writeTwoBits } from './twoBitCodes.ts'

export type CompressedUpdate = {
  readonly bytes: Uint8Array
  /** What receivers decode. */
  readonly update: Float32Array
  /** What the next round adds to its delta; undefined where nothing is carried over. */
  readonly residual: Float32Array | undefined
}

/**
 * A worker's update as it goes on the wire, and what it keeps for the next one (L-22, L-26):
 *
 *   wanted = residual + delta       update = what of it is sent       residual' = stored(wanted − update)
 *
 * Sum and difference are one f32 operation each; `stored` is what the feedback's bits leave of a value.
 *
 * @param delta base minus trained, f32 [P]; read only
 * @param residual of the round before; undefined in the first round, and always where nothing is carried over
 * @throws PotluckError BAD_COMPRESSION, SHAPE; NAN with the first index whose value is not finite
 *
 * Source: error feedback, arXiv:1809.07599; chunks of 4096 with two bits a value, arXiv:2508.15706.
 */
export function compressUpdate(
  delta: Float32Array,
  residual: Float32Array | undefined,
  how: Compression,
): CompressedUpdate {
  checkCompression(how)
  checkLength(delta.length)
  if (how.kind !== 'topk' || how.feedback === 0) {
    if (residual) throw new PotluckError('BAD_COMPRESSION', 'a residual is given where nothing is carried over')
    checkFinite(delta)
    if (how.kind !== 'topk') return { ...writeDense(delta, how), residual: undefined }
    const update = keepLargest(delta, how.keep)
    return { bytes: encodeSparse(update, how.keep), update, residual: undefined }
  }
  const wanted = residual ? added(residual, delta) : delta.slice()
  checkFinite(wanted)
  const update = keepLargest(wanted, how.keep)
  const left = wanted
  for (let i = 0; i < left.length; i++) left[i]! -= update[i]!
  const stored =
    how.feedback === 32 ? left : decodeFeedback(encodeFeedback(left, how.feedback), left.length, how.feedback)
  return { bytes: encodeSparse(update, how.keep), update, residual: stored }
}

function added(residual: Float32Array, delta: Float32Array): Float32Array {
  if (residual.length !== delta.length) {
    throw new PotluckError('SHAPE', `a residual of ${residual.length} values beside a delta of ${delta.length}`)
  }
  const sum = new Float32Array(delta.length)
  for (let i = 0; i < sum.length; i++) sum[i] = residual[i]! + delta[i]!
  return sum
}

function checkFinite(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    // x − x is 0 for a finite number only.
    if (values[i]! - values[i]! !== 0) {
      throw new PotluckError('NAN', `value ${i} of the update is ${values[i]}; train with a lower rate`, { at: i })
    }
  }
}

function writeDense(
  delta: Float32Array,
  how: Exclude<Compression, { kind: 'topk' }>,
): { bytes: Uint8Array; update: Float32Array } {
  const { length } = delta
  if (how.kind === 'f32') {
    const bytes = new Uint8Array(1 + 4 * length)
    bytes.set(littleEndianBytes(delta), 1)
    return { bytes, update: delta.slice() }
  }
  const bytes = new Uint8Array(1 + (how.bits === 2 ? twoBitBytes(length) : blockBytes(length, how.bits)))
  bytes[0] = codecOf(how)
  if (how.bits === 2) {
    writeTwoBits(delta, bytes, 1)
    return { bytes, update: readTwoBits(bytes, 1, length) }
  }
  writeBlocks(delta, how.bits, bytes, 1)
  return { bytes, update: readBlocks(bytes, 1, length, how.bits) }
}
