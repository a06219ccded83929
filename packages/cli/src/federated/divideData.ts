import type { TrainingData } from '@potluck/engine'
import { type Client, classCounts, type Partition, partitionRows, partitionTokens, selectRows } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import type { LoadedData } from '../training/LoadedData.ts'
import type { ClientFacts } from './report/FederatedFacts.ts'

export type Divided = {
  readonly clients: readonly Client[]
  readonly facts: readonly Omit<ClientFacts, 'isAttacker'>[]
}

export type DivideOptions = {
  readonly how: Partition
  /** As many as the column has values when left out. */
  readonly clients: number | undefined
  readonly seed: Uint8Array
  /** Which of the loaded training rows are to be divided, where some were set aside. */
  readonly rows?: Uint32Array | undefined
}

/** A text is dealt out in pieces of so many tokens, shorter where a client would get too few of them. */
const MOST_PIECE = 4_096
const PIECES_A_CLIENT = 8
const LEAST_PIECE = 16

/**
 * Gives each client its part of the data.
 *
 * @param train the rows to be divided; `data` says what they are
 * @throws PotluckError BAD_USAGE for a partition the data has no ground for, and what `partitionRows` and `partitionTokens` throw
 */
export function divideData(train: TrainingData, data: LoadedData, options: DivideOptions): Divided {
  if (train.kind === 'tokens') return divideText(train.tokens, options)
  const { how } = options
  const { shape } = data
  const classes = shape.kind === 'text' ? null : shape.classes
  const count = shape.kind === 'table' ? train.inputs.length / shape.inputs : rowsOfImages(train, data)
  if (classes === null && (how.kind === 'dirichlet' || how.kind === 'labels')) {
    throw usage(`${how.kind} divides by classes, and a number to predict has none: use iid or by-column:COLUMN`)
  }
  const sites = sitesOf(data, options)
  const clients = clientCount(options, sites?.names.length)
  const labels = train.targets instanceof Int32Array ? train.targets : new Int32Array(count)
  const parts = partitionRows(sites?.ofRow ?? labels, clients, how, options.seed)
  const counts = classes === null ? undefined : classCounts(labels, parts, classes)
  const idOf = (c: number): string => sites?.names[c] ?? `client-${c + 1}`
  return {
    clients: parts.map((rows, c) => ({ id: idOf(c), data: selectRows(train, rows, count) })),
    facts: parts.map((rows, c) => ({ id: idOf(c), size: rows.length, counts: counts?.[c] ?? [] })),
  }
}

function rowsOfImages(train: TrainingData & { readonly kind: 'rows' }, { shape }: LoadedData): number {
  if (shape.kind !== 'images') return train.targets.length
  return train.inputs.length / (shape.height * shape.width * shape.channels)
}

function divideText(
  tokens: (TrainingData & { readonly kind: 'tokens' })['tokens'],
  { how, clients, seed }: DivideOptions,
): Divided {
  if (how.kind !== 'iid') throw usage(`a text has no rows to divide by ${how.kind}: use --partition iid`)
  const count = clients ?? 1
  const piece = Math.floor(tokens.length / (count * PIECES_A_CLIENT))
  const parts = partitionTokens(tokens, count, Math.min(MOST_PIECE, Math.max(LEAST_PIECE, piece)), seed)
  return {
    clients: parts.map((part, c) => ({ id: `client-${c + 1}`, data: { kind: 'tokens', tokens: part } })),
    facts: parts.map((part, c) => ({ id: `client-${c + 1}`, size: part.length, counts: [] })),
  }
}

/** The column's values and which each divided row has. Only those that rows to be divided have: others would be clients with nothing. */
function sitesOf({ sites, shape }: LoadedData, { how, rows }: DivideOptions): LoadedData['sites'] {
  if (how.kind !== 'column') return undefined
  if (!sites) throw usage(`by-column needs a table (--csv); there is no column in ${shape.kind}`)
  const ofRow = rows ? Int32Array.from(rows, (row) => sites.ofRow[row]!) : sites.ofRow
  const seen = [...new Set(ofRow)].sort((a, b) => a - b)
  const numbers = new Map(seen.map((site, i) => [site, i]))
  return { names: seen.map((site) => sites.names[site]!), ofRow: ofRow.map((site) => numbers.get(site)!) }
}

function clientCount({ how, clients }: DivideOptions, values: number | undefined): number {
  if (how.kind !== 'column' || values === undefined) return clients ?? 1
  if (clients === undefined || clients === values) return values
  throw usage(
    `column ${how.column} has ${values} values among the training rows, --clients says ${clients}: leave --clients out, or say ${values}`,
  )
}

const usage = (message: string): PotluckError => new PotluckError('BAD_USAGE', message)
