import { PotluckError } from '@potluck/protocol'

const LONGEST = 1_024
const SHORTEST = 8

/**
 * How many numbers of an update share one scale: the longest part of at most 1,024 that divides it. In a language model every
 * tensor is a multiple of the width, so the update has such parts.
 *
 * @throws PotluckError NO_BLOCKS when only parts shorter than 8 divide it: their scales would cost more than they save
 */
export function blockOf(size: number): number {
  for (let length = Math.min(LONGEST, size); length >= SHORTEST; length--) if (size % length === 0) return length
  const message = `an update of ${size} numbers has no blocks of ${SHORTEST} to ${LONGEST}: choose a width that is a multiple of ${SHORTEST}, or the encoding f32`
  throw new PotluckError('NO_BLOCKS', message, { size }, { remedy: 'fix-setup' })
}
