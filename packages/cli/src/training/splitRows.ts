import { RandomStream } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

// Far from the purposes of the engine (E-14), so that a split shares no number with batches or parameters of one seed.
const SPLIT_PURPOSE = 1_000

/**
 * Numbers 0 … count − 1, in two parts drawn by the seed: integers only, so the same parts on every machine.
 *
 * A Fisher-Yates shuffle from the end; the first round(count·fraction) are set aside, at least one of each part.
 * @throws PotluckError TOO_FEW_ROWS below two rows
 */
export function splitRows(count: number, fraction: number, seed: Uint8Array): { train: Int32Array; valid: Int32Array } {
  if (count < 2) {
    throw new PotluckError('TOO_FEW_ROWS', `${count} rows cannot be split in two: at least 2 are needed`, { count })
  }
  const random = new RandomStream(seed, SPLIT_PURPOSE, 0)
  const order = Int32Array.from({ length: count }, (_, i) => i)
  for (let last = count - 1; last > 0; last--) {
    const other = random.below(count - 1 - last, last + 1)
    const kept = order[last]!
    order[last] = order[other]!
    order[other] = kept
  }
  const aside = Math.min(count - 1, Math.max(1, Math.round(count * fraction)))
  // In file order, so that neither part depends on more than which rows it has.
  return { valid: order.slice(0, aside).sort(), train: order.slice(aside).sort() }
}
