import type { Buffering } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'

/** Steps of the model that a delivery may be old, unless said otherwise. */
const STALENESS = 10

/** `SIZE` or `SIZE:STALENESS`. Throws BAD_USAGE. */
export function parseBuffered(text: string): Buffering {
  const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text)
  const size = Number(match?.[1])
  if (match && size >= 1) return { size, mostStaleness: match[2] === undefined ? STALENESS : Number(match[2]) }
  throw new PotluckError(
    'BAD_USAGE',
    `--buffered takes how many deliveries make a step, and how many steps old one may be: 4 or 4:10; got ${JSON.stringify(text.slice(0, 40))}`,
    { option: '--buffered' },
  )
}
