import { PotluckError } from '@potluck/protocol'
import { isMissing, numberIn } from './fieldValues.ts'
import { type CsvRecord, type Delimiter, delimiters, readRecords } from './readRecords.ts'

export type CsvTable = {
  readonly file: string
  readonly delimiter: Delimiter
  /** false: the columns are named c1, c2, … */
  readonly hasHeader: boolean
  readonly columns: readonly string[]
  readonly rows: readonly CsvRecord[]
}

export type HeaderChoice = 'auto' | 'yes' | 'no'

/**
 * A delimited table. The delimiter is the one of tab, semicolon and comma that splits the first lines into the same number of
 * fields, and most of them. With `auto` the first line names the columns when all its fields differ and none is a number or missing.
 *
 * @throws PotluckError BAD_CSV (line, fields seen and expected; columns named twice), NO_ROWS
 */
export function parseCsv(text: string, file: string, header: HeaderChoice = 'auto'): CsvTable {
  const delimiter = delimiterOf(text, file)
  const records = readRecords(text, delimiter, file)
  const first = records[0]
  if (!first) throw new PotluckError('NO_ROWS', `${file}: no line with data; name another file`, { file })
  const width = first.fields.length
  const odd = records.find(({ fields }) => fields.length !== width)
  if (odd) {
    const message = `${file}, line ${odd.line}: ${odd.fields.length} fields, ${width} in the first line. Mend the line; a field that holds the delimiter ${JSON.stringify(delimiter)} stands in double quotes.`
    throw new PotluckError('BAD_CSV', message, { file, line: odd.line, seen: odd.fields.length, expected: width })
  }
  const hasHeader = header === 'yes' || (header === 'auto' && namesColumns(first, delimiter))
  const columns = hasHeader ? first.fields : first.fields.map((_, i) => `c${i + 1}`)
  const twice = columns.find((name, i) => columns.indexOf(name) !== i)
  if (twice !== undefined) {
    throw new PotluckError('BAD_CSV', `${file}: two columns are named "${twice}"; rename one`, { file, column: twice })
  }
  const rows = hasHeader ? records.slice(1) : records
  if (rows.length === 0) {
    throw new PotluckError('NO_ROWS', `${file}: no row below the names of the columns; add data`, { file })
  }
  return { file, delimiter, hasHeader, columns, rows }
}

function namesColumns({ fields }: CsvRecord, delimiter: Delimiter): boolean {
  return (
    new Set(fields).size === fields.length &&
    fields.every((field) => !isMissing(field) && numberIn(field, delimiter) === undefined)
  )
}

/** How many first lines decide about the delimiter. */
const LOOK = 50

export function delimiterOf(text: string, file: string): Delimiter {
  let best: Delimiter = ','
  let most = 1
  for (const delimiter of delimiters) {
    // A quote may be closed by one delimiter and not by another: that one is none.
    const records = tryRecords(text, delimiter, file)
    const width = records?.[0]?.fields.length ?? 0
    if (records?.every(({ fields }) => fields.length === width) && width > most) {
      best = delimiter
      most = width
    }
  }
  return best
}

function tryRecords(text: string, delimiter: Delimiter, file: string): CsvRecord[] | undefined {
  try {
    return readRecords(text, delimiter, file, LOOK)
  } catch (error) {
    if (error instanceof PotluckError) return undefined
    throw error
  }
}
