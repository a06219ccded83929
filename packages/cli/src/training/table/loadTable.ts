import type { TrainingData } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { columnNames } from '../../evaluation/encodingOf.ts'
import type { LoadedData } from '../LoadedData.ts'
import { readTextFile } from '../readDataFile.ts'
import { splitRows } from '../splitRows.ts'
import { describeTable } from './describeTable.ts'
import { type EncodedRows, encodeRows, inputCount, type TableEncoding } from './encodeRows.ts'
import { isMissing } from './fieldValues.ts'
import { columnIndex, fitColumns, MISSING } from './fitColumns.ts'
import { fitTarget, type TableTask } from './fitTarget.ts'
import { matchColumns } from './matchColumns.ts'
import { type CsvTable, type HeaderChoice, parseCsv } from './parseCsv.ts'
import type { CsvRecord } from './readRecords.ts'

export type TableOptions = {
  readonly csv: string
  /** Name of the column to predict, or its number from 1. */
  readonly target: string
  readonly test?: string | undefined
  readonly header: HeaderChoice
  readonly task?: TableTask | undefined
  readonly ignore: readonly string[]
  readonly categorical: readonly string[]
  /** Column whose value names the client a row belongs to; no input of the model. */
  readonly site?: string | undefined
  /** How rows become inputs, where that is not fitted to the training rows. */
  readonly encoding?: TableEncoding | undefined
  /** Part of the rows set aside for validation. */
  readonly validFraction: number
  readonly seed: Uint8Array
}

/**
 * A table as training, validation and test data. Rows are split by the seed; all statistics come from the training rows.
 * Throws what reading, parsing, fitting and encoding throw, each with file and line.
 */
export function loadTable(options: TableOptions): LoadedData {
  const parsed = parseCsv(readTextFile(options.csv), options.csv, options.header)
  const table = options.encoding ? givenColumns(parsed, options.target, options.encoding) : parsed
  const target = options.encoding?.target.index ?? columnIndex(table, options.target)
  const rows = table.rows.filter(({ fields }) => !isMissing(fields[target] ?? ''))
  const split = splitRows(rows.length, options.validFraction, options.seed)
  const pick = (which: Int32Array) => Array.from(which, (row) => rows[row]!)
  const trainRows = pick(split.train)
  const site = options.site === undefined ? undefined : columnIndex(table, options.site)
  // A site says where a row comes from, which a row from elsewhere has no answer to.
  const ignore = site === undefined || site === target ? options.ignore : [...options.ignore, table.columns[site]!]
  const encoding: TableEncoding = options.encoding ?? {
    columns: fitColumns(table, trainRows, { target, ignore, categorical: options.categorical }),
    target: fitTarget(table, rows, trainRows, target, options.task),
  }
  const train = encodeRows(table, trainRows, encoding)
  const valid = encodeRows(table, pick(split.valid), encoding)
  const test = options.test === undefined ? undefined : readTest(options.test, options.header, table.columns, encoding)
  const dropped = table.rows.length - rows.length
  return {
    shape: {
      kind: 'table',
      inputs: inputCount(encoding),
      classes: encoding.target.task === 'classification' ? encoding.target.classes.length : null,
      rows: train.count,
    },
    train: asData(train, encoding),
    valid: asData(valid, encoding),
    test: test && asData(test, encoding),
    lines: [
      ...describeTable(table, encoding),
      ...(dropped > 0 ? [`  ${dropped} rows without a target are left out`] : []),
      `  ${train.count} rows to train on, ${valid.count} to validate${test ? `, ${test.count} to test, from ${options.test}` : ''}`,
      ...(test && test.dropped > 0 ? [`  ${test.dropped} test rows without a target are left out`] : []),
    ],
    encoding: { data: 'table', ...encoding },
    files: {},
    ...(encoding.target.task === 'classification' ? { classes: encoding.target.classes } : {}),
    ...(site === undefined ? {} : { sites: sitesOf(trainRows, site) }),
    ...(encoding.target.task === 'regression'
      ? { unit: { name: encoding.target.name, deviation: encoding.target.deviation } }
      : {}),
  }
}

/** A table in the column order of the one an encoding was fitted to. Throws OTHER_TARGET, MISSING_COLUMNS. */
function givenColumns(table: CsvTable, target: string, encoding: TableEncoding): CsvTable {
  const seen = table.columns[columnIndex(table, target)]!
  if (seen === encoding.target.name) return matchColumns(table, columnNames(encoding))
  const message = `--target is ${seen}, the teacher predicts ${encoding.target.name}: name that column, or another teacher`
  throw new PotluckError('OTHER_TARGET', message, { seen, expected: encoding.target.name })
}

/** The values a column has, in order of their characters, and which one each row has. */
function sitesOf(rows: readonly CsvRecord[], site: number): { names: string[]; ofRow: Int32Array } {
  const nameOf = ({ fields }: CsvRecord): string => (isMissing(fields[site] ?? '') ? MISSING : (fields[site] ?? ''))
  const names = [...new Set(rows.map(nameOf))].sort()
  const numbers = new Map(names.map((name, i) => [name, i]))
  return { names, ofRow: Int32Array.from(rows, (row) => numbers.get(nameOf(row))!) }
}

function readTest(
  file: string,
  header: HeaderChoice,
  columns: readonly string[],
  encoding: TableEncoding,
): EncodedRows {
  const table = matchColumns(parseCsv(readTextFile(file), file, header), columns)
  return encodeRows(table, table.rows, encoding)
}

const asData = ({ inputs, classes, numbers }: EncodedRows, { target }: TableEncoding): TrainingData => ({
  kind: 'rows',
  inputs,
  targets: target.task === 'classification' ? classes : numbers,
})
