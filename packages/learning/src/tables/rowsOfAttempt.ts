import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, PotluckError, uint64, utf8 } from '@potluck/protocol'
import type { SumContext } from '../secureSum/maskedSum.ts'
import { drawBelow, wordStream } from '../secureSum/wordStream.ts'
import type { TableRow } from './tableRow.ts'

// A round that failed this often fails for another reason than bad luck.
const mostAttempts = 100
// With one fresh choice among k left, 1,000 draws miss it once in e^(1000/k): a table that small may as well stop here.
const mostDraws = 1000

/**
 * The rows a member uses in one attempt of a round (L-08): all in the first; in each later one all but a tenth (rounded up, at
 * least one stays), drawn from its own secret and never the same choice twice in a round.
 *
 * Two sums over changing groups would otherwise differ by exactly one member's update. Leaving rows out blurs that
 * difference; it does not hide it as noise with a privacy budget would.
 *
 * @param secret at least 32 random bytes that never leave the member; the draw is fixed by it, job, round and attempt
 * @throws PotluckError NO_FRESH_UPDATE when so few rows or so many attempts leave no choice that was not used before
 */
export function rowsOfAttempt(rows: readonly TableRow[], context: SumContext, secret: Uint8Array): TableRow[] {
  if (context.attempt > mostAttempts) throw noFreshUpdate(rows.length, context.attempt)
  const used = new Set<string>([''])
  let leftOut: number[] = []
  for (let attempt = 2; attempt <= context.attempt; attempt++) {
    const info = concatBytes(utf8('potluck/left-out/1'), uint64(context.round), uint64(attempt), utf8(context.job))
    const next = wordStream(hkdf(sha256, secret, undefined, info, 32))
    let draws = 0
    do {
      if (draws++ === mostDraws) throw noFreshUpdate(rows.length, context.attempt)
      leftOut = drawTenth(rows.length, next)
    } while (used.has(leftOut.join()))
    used.add(leftOut.join())
  }
  const dropped = new Set(leftOut)
  return rows.filter((_, i) => !dropped.has(i))
}

/** A tenth of 0 .. count - 1 without repetition, ascending: the first places of a Fisher-Yates shuffle. */
function drawTenth(count: number, next: () => bigint): number[] {
  const size = Math.min(Math.ceil(count / 10), count - 1)
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = 0; i < size; i++) {
    const j = i + drawBelow(next, count - i)
    const picked = order[j]!
    order[j] = order[i]!
    order[i] = picked
  }
  return order.slice(0, size).sort((a, b) => a - b)
}

function noFreshUpdate(rows: number, attempt: number): PotluckError {
  return new PotluckError(
    'NO_FRESH_UPDATE',
    `${rows} rows leave no unused choice for attempt ${attempt}: take part with more rows, or start a new job`,
    { rows, attempt },
    { remedy: 'give-up' },
  )
}
