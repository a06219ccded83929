import { PotluckError } from '@potluck/protocol'
import { BitOdds } from './BitOdds.ts'
import { CHUNK } from './Compression.ts'
import { NumberOdds } from './NumberOdds.ts'
import { EVEN, type RangeCoder, RangeReader, RangeWriter } from './RangeCoder.ts'
import { MOST_NEAR, NEVER, SentBefore } from './SentBefore.ts'
import { fromScale, isScale, toScale } from './scale16.ts'

/**
 * The bytes of a sparse update behind `head` (L-23). Which values are sent and what they are, for writing and for reading alike:
 *
 * A chunk is: whether it has all `keep` of its values, else how many; its scales; then for each position whether it is sent, with
 * sign and level if so. A position is expected to be sent with probability left/places, which alone costs what numbering the subsets
 * would (log2 of the binomial coefficient); the odds are bent by what was just sent nearby and in the same column of the matrix. No
 * index is ever written, so none can be out of order, doubled or out of range.
 *
 * @param update as `keepLargest` makes it: of each chunk at most `keep` values that are not 0, in at most two magnitudes
 *
 * Cost: one coded bit for each position up to a chunk's last.
 */
export function writeSparse(update: Float32Array, keep: number, head: Uint8Array): Uint8Array {
  const writer = new RangeWriter(head)
  codeChunks(writer, update, keep)
  return writer.finish()
}

/**
 * The update in bytes from `start` on.
 *
 * @throws PotluckError TRUNCATED_UPDATE, TRAILING_BYTES, BAD_SCALE, NOT_CANONICAL
 */
export function readSparse(bytes: Uint8Array, start: number, length: number, keep: number): Float32Array {
  const update = new Float32Array(length)
  const reader = new RangeReader(bytes, start)
  codeChunks(reader, update, keep)
  reader.finish()
  return update
}

function codeChunks(coder: RangeCoder, update: Float32Array, keep: number): void {
  const isFull = new BitOdds(1)
  const sentOdds = new BitOdds((MOST_NEAR + 1) * (NEVER + 1))
  const signOdds = new BitOdds(5 * 3)
  const levelOdds = new BitOdds(5 * 3)
  const lowOdds = new NumberOdds()
  const gapOdds = new NumberOdds()
  const before = new SentBefore()
  let [low, gap] = [toScale(0.001), 128]
  let [lastSign, lastLevel] = [0, 0]
  for (let start = 0; start < update.length; start += CHUNK) {
    const size = Math.min(CHUNK, update.length - start)
    const most = Math.min(keep, size)
    const chunk = update.subarray(start, start + size)
    const seen = coder.isWriting ? levelsOf(chunk) : { count: 0, low: 0, high: 0 }
    let sent = most
    if (isFull.code(coder, 0, 0.5, seen.count === most ? 1 : 0) === 0) {
      sent = codeEven(coder, 13, seen.count)
      if (sent >= most) throw notCanonical(`a chunk says that it is not full, and holds ${sent} of ${most} values`)
    }
    if (sent === 0) {
      before.endChunk()
      continue
    }
    low += lowOdds.code(coder, seen.low - low)
    gap += gapOdds.code(coder, seen.high - seen.low - gap)
    if (!isScale(low) || !isScale(low + gap) || low === 0 || gap < 0) {
      throw new PotluckError('BAD_SCALE', `chunk ${start / CHUNK} has scales ${low} and ${low + gap}`, { low, gap })
    }
    const [lowLevel, highLevel] = [fromScale(low), fromScale(low + gap)]
    before.startChunk(start)
    let highs = 0
    let left = sent
    for (let i = 0; left > 0; i++, before.advance()) {
      const value = chunk[i]!
      const places = size - i
      if (left < places) {
        const context = before.near(i) * (NEVER + 1) + before.age()
        if (sentOdds.code(coder, context, left / places, value !== 0 ? 1 : 0) === 0) continue
      }
      left--
      const column = before.state()
      const sign = signOdds.code(coder, column * 3 + lastSign, 0.5, value < 0 ? 1 : 0)
      let level = 0
      if (gap > 0) level = levelOdds.code(coder, column * 3 + lastLevel, 0.5, Math.abs(value) === highLevel ? 1 : 0)
      lastSign = 1 + sign
      lastLevel = 1 + level
      highs += level
      before.send(i, 1 + 2 * sign + level)
      const magnitude = level === 1 ? highLevel : lowLevel
      chunk[i] = sign === 1 ? -magnitude : magnitude
    }
    if (gap > 0 && (highs === 0 || highs === sent)) {
      throw notCanonical(`chunk ${start / CHUNK} names two levels and uses one`)
    }
    before.endChunk()
  }
}

/** How many values of a chunk are sent, and the scales of their two levels; the same twice where there is one. */
function levelsOf(chunk: Float32Array): { count: number; low: number; high: number } {
  let [count, smallest, largest] = [0, Number.POSITIVE_INFINITY, 0]
  for (let i = 0; i < chunk.length; i++) {
    const magnitude = Math.abs(chunk[i]!)
    if (magnitude === 0) continue
    count++
    if (magnitude < smallest) smallest = magnitude
    if (magnitude > largest) largest = magnitude
  }
  return count === 0 ? { count, low: 0, high: 0 } : { count, low: toScale(smallest), high: toScale(largest) }
}

/** A number of so many bits, all equally likely. */
function codeEven(coder: RangeCoder, bits: number, value: number): number {
  let coded = 0
  for (let i = bits - 1; i >= 0; i--) coded = 2 * coded + coder.bit(EVEN, (value >>> i) & 1)
  return coded
}

const notCanonical = (why: string): PotluckError =>
  new PotluckError('NOT_CANONICAL', `${why}; an update has exactly one form in bytes`)
