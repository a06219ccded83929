import { PotluckError } from '@potluck/protocol'
import { isMissing, numberIn } from './fieldValues.ts'
import type { CsvTable } from './parseCsv.ts'
import type { CsvRecord } from './readRecords.ts'

/** How one column of a table becomes inputs of a model. All numbers come from training rows. */
export type ColumnEncoding =
  | {
      readonly kind: 'number'
      readonly name: string
      readonly index: number
      readonly mean: number
      readonly deviation: number
      /** One more input: 1 where the value is missing. Only where training rows miss some. */
      readonly indicator: boolean
      readonly missing: number
      /** Fields that are neither a number nor missing; read as missing. */
      readonly strays: number
    }
  | {
      readonly kind: 'category'
      readonly name: string
      readonly index: number
      /** One input each, the most frequent first. */
      readonly categories: readonly string[]
      /** One more input for all rare and unseen ones; without it an unseen category is all zeros. */
      readonly other: boolean
      /** What a missing value is read as: the most frequent category, unless missing is a category itself. */
      readonly fill: string
      readonly missing: number
    }
  | { readonly kind: 'ignored'; readonly name: string; readonly index: number; readonly why: string }

export type ColumnWishes = {
  readonly target: number
  /** Names of columns to leave out, and of columns of numbers to read as categories. */
  readonly ignore: readonly string[]
  readonly categorical: readonly string[]
}

/** What a missing value is called where it is a category of its own. */
export const MISSING = '(missing)'
const MOST_CATEGORIES = 64
/** A category of fewer training rows is put with the other rare ones. */
const LEAST_ROWS = 2
/** Of the known values, the part that must be numbers for a column of numbers. */
const MOSTLY = 0.95

/**
 * How each column but the target is encoded, from the training rows alone.
 *
 * A column of which at least 95 % of the known values are numbers is one of numbers: standardised, missing values take the mean, with an
 * input of their own that says so. Any other is one of categories, one input each; missing is a category of its own where training rows
 * miss some. Left out: columns with one value, and text that differs in nearly every row (names, ids).
 *
 * @throws PotluckError UNKNOWN_COLUMN when a wish names none; NO_INPUTS when no column is left
 */
export function fitColumns(table: CsvTable, rows: readonly CsvRecord[], wishes: ColumnWishes): ColumnEncoding[] {
  for (const name of [...wishes.ignore, ...wishes.categorical]) columnIndex(table, name)
  const encodings = table.columns.flatMap((name, index): ColumnEncoding[] => {
    if (index === wishes.target) return []
    if (wishes.ignore.includes(name)) return [{ kind: 'ignored', name, index, why: 'as asked' }]
    const values = rows.map(({ fields }) => fields[index] ?? '')
    return [fitColumn(table, name, index, values, wishes.categorical.includes(name))]
  })
  if (encodings.some(({ kind }) => kind !== 'ignored')) return encodings
  const reasons = encodings.map((one) => `${one.name} (${one.kind === 'ignored' ? one.why : ''})`).join(', ')
  throw new PotluckError(
    'NO_INPUTS',
    `${table.file}: no column is left to learn from: ${reasons || 'only the target is there'}`,
    { file: table.file },
  )
}

function fitColumn(
  table: CsvTable,
  name: string,
  index: number,
  values: readonly string[],
  asCategory: boolean,
): ColumnEncoding {
  const known = values.filter((value) => !isMissing(value))
  const ignored = (why: string): ColumnEncoding => ({ kind: 'ignored', name, index, why })
  if (known.length === 0) return ignored('no training row has a value')
  const numbers = known.flatMap((value) => numberIn(value, table.delimiter) ?? [])
  if (!asCategory && numbers.length >= MOSTLY * known.length) {
    const { mean, deviation } = statisticsOf(numbers)
    const missing = values.length - known.length
    const strays = known.length - numbers.length
    const indicator = missing + strays > 0
    if (deviation === 0 && !indicator) return ignored('one value only')
    return { kind: 'number', name, index, mean, deviation: deviation || 1, indicator, missing, strays }
  }
  const counts = new Map<string, number>()
  for (const value of known) counts.set(value, (counts.get(value) ?? 0) + 1)
  // Text that hardly ever comes twice says nothing about the next row.
  if (!asCategory && counts.size > 20 && counts.size > known.length / 2) return ignored('differs in nearly every row')
  const missing = values.length - known.length
  if (counts.size === 1 && missing === 0) return ignored('one value only')
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  const kept = ranked.filter(([, count], rank) => count >= LEAST_ROWS && rank < MOST_CATEGORIES).map(([value]) => value)
  const categories = missing > 0 ? [...kept, MISSING] : kept
  const fill = missing > 0 ? MISSING : ranked[0]![0]
  return { kind: 'category', name, index, categories, other: kept.length < ranked.length, fill, missing }
}

/** Mean and standard deviation in f64, in the order given: exact operations only, so the same on every machine. */
export function statisticsOf(numbers: readonly number[]): { mean: number; deviation: number } {
  let mean = 0
  for (const value of numbers) mean += value / numbers.length
  let variance = 0
  for (const value of numbers) variance += ((value - mean) * (value - mean)) / numbers.length
  const deviation = Math.sqrt(variance)
  // Rounding alone gives a constant column a deviation of some 1e-16 of its size; squares of giants overflow.
  if (!(deviation > Math.abs(mean) * 1e-12)) return { mean, deviation: 0 }
  return { mean, deviation: Number.isFinite(deviation) ? deviation : 0 }
}

/** Position of a column by name or, where no name fits, by number from 1. Throws UNKNOWN_COLUMN with the names there are. */
export function columnIndex(table: CsvTable, name: string): number {
  const at = table.columns.indexOf(name)
  if (at >= 0) return at
  if (/^\d{1,6}$/.test(name) && Number(name) >= 1 && Number(name) <= table.columns.length) return Number(name) - 1
  const names = table.columns.slice(0, 40).join(', ')
  const message = `${table.file} has no column "${name.slice(0, 60)}": there are ${names}${table.columns.length > 40 ? ', …' : ''}`
  throw new PotluckError('UNKNOWN_COLUMN', message, { file: table.file, seen: name.slice(0, 60) })
}

/** How many inputs of the model a column gives. */
export function inputsOf(encoding: ColumnEncoding): number {
  if (encoding.kind === 'number') return encoding.indicator ? 2 : 1
  return encoding.kind === 'category' ? encoding.categories.length + (encoding.other ? 1 : 0) : 0
}
