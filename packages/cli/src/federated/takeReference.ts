import { RandomStream, type TrainingData } from '@potluck/engine'
import { selectRows } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import type { LoadedData } from '../training/LoadedData.ts'
import type { FederatedWishes } from './settings/FederatedWishes.ts'

/** Beside the split into training and validation rows, which has 1000: two uses never share a number. */
const REFERENCE_PURPOSE = 1_001

/**
 * Part of the training rows that a rule with a reference takes, where none is asked for, and its bounds. Of few rows it takes up to
 * `largest`, so that there are `enough`: a reference of forty rows leads the model to what these forty say.
 */
const REFERENCE = { part: 0.05, least: 20, most: 1_000, enough: 200, largest: 0.2 } as const

export type Taken = {
  /** Public rows, from which everybody can train the reference update. */
  readonly reference: TrainingData
  readonly rest: TrainingData
  /** Numbers of the rows that are left; none for a text. */
  readonly rows: Uint32Array
}

/**
 * Sets rows aside that everybody may see, drawn by the seed; of a text the end.
 *
 * @param count rows of `data`, or its tokens
 * @param aside how many are taken
 * @throws PotluckError TOO_FEW_ROWS where nothing would be left
 */
export function takeReference(data: TrainingData, count: number, aside: number, seed: Uint8Array): Taken {
  if (aside >= count) {
    const message = `--reference ${aside} takes all ${count} rows there are to train on: take fewer`
    throw new PotluckError('TOO_FEW_ROWS', message, { aside, count })
  }
  if (data.kind === 'tokens') {
    const cut = count - aside
    const part = (from: number, to: number): TrainingData => ({ kind: 'tokens', tokens: data.tokens.slice(from, to) })
    return { reference: part(cut, count), rest: part(0, cut), rows: new Uint32Array(0) }
  }
  const random = new RandomStream(seed, REFERENCE_PURPOSE, 0)
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = 0; i < aside; i++) {
    const other = i + random.below(i, count - i)
    const kept = order[i]!
    order[i] = order[other]!
    order[other] = kept
  }
  const rows = order.slice(aside).sort()
  return {
    reference: selectRows(data, order.slice(0, aside).sort(), count),
    rest: selectRows(data, rows, count),
    rows,
  }
}

export type Aside = {
  readonly reference: TrainingData | undefined
  /** What is left to be divided. */
  readonly train: TrainingData
  /** Numbers of the rows that are left; undefined for all. */
  readonly rows: Uint32Array | undefined
  /** How many rows are public. */
  readonly aside: number
}

/**
 * Takes the public rows from the training rows where a rule needs them or somebody asks for them.
 *
 * @throws PotluckError TOO_FEW_ROWS
 */
export function setAside(data: LoadedData, { reference, rule }: FederatedWishes, seed: Uint8Array): Aside {
  const isWanted = reference !== undefined || (rule ?? '').split(':').includes('reference')
  if (!isWanted) return { train: data.train, rows: undefined, reference: undefined, aside: 0 }
  const { shape } = data
  const count = shape.kind === 'text' ? shape.tokens : shape.kind === 'table' ? shape.rows : shape.images
  // Of a text tokens are set aside, of which a window takes many.
  const { part, least, most, enough, largest } = REFERENCE
  const leastRows = Math.max(least, Math.min(enough, Math.round(largest * count)))
  const [few, many] = shape.kind === 'text' ? [1_000, Number.POSITIVE_INFINITY] : [leastRows, most]
  const aside = reference ?? Math.min(Math.ceil(count / 2), many, Math.max(few, Math.round(count * part)))
  const taken = takeReference(data.train, count, aside, seed)
  return { train: taken.rest, rows: taken.rows, reference: taken.reference, aside }
}
