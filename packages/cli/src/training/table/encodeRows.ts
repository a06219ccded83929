import { PotluckError } from '@potluck/protocol'
import { isMissing, numberIn } from './fieldValues.ts'
import { type ColumnEncoding, inputsOf } from './fitColumns.ts'
import { regressionValue, type TargetEncoding } from './fitTarget.ts'
import type { CsvTable } from './parseCsv.ts'
import type { CsvRecord } from './readRecords.ts'

/** All that turns a row of a table into numbers; made from training rows, kept with the model. */
export type TableEncoding = { readonly columns: readonly ColumnEncoding[]; readonly target: TargetEncoding }

export type EncodedRows = {
  readonly count: number
  /** [count, inputs] */
  readonly inputs: Float32Array
  /** Class numbers. Empty for regression. */
  readonly classes: Int32Array
  /** Standardised numbers to predict. Empty for classification. */
  readonly numbers: Float32Array
  /** Rows without a target. */
  readonly dropped: number
}

/** Standardised values further out than this are pulled in: one slip of the keyboard must not blow up a run. */
const MOST_DEVIATIONS = 20

export const inputCount = ({ columns }: TableEncoding): number =>
  columns.reduce((sum, column) => sum + inputsOf(column), 0)

/**
 * Rows as a model reads them. Rows without a target are dropped and counted.
 *
 * @throws PotluckError UNKNOWN_CLASS with line and value, BAD_NUMBER for a target that is none, NO_ROWS
 */
export function encodeRows(table: CsvTable, rows: readonly CsvRecord[], encoding: TableEncoding): EncodedRows {
  const { target } = encoding
  const width = inputCount(encoding)
  const usable = rows.filter(({ fields }) => !isMissing(fields[target.index] ?? ''))
  if (usable.length === 0) {
    throw new PotluckError('NO_ROWS', `${table.file}: no row has a value of ${target.name}`, { file: table.file })
  }
  const inputs = new Float32Array(usable.length * width)
  usable.forEach(({ fields }, r) => {
    let at = r * width
    for (const column of encoding.columns) {
      encodeField(column, fields[column.index] ?? '', table, inputs, at)
      at += inputsOf(column)
    }
  })
  const classes = target.task === 'classification' ? classNumbers(table, usable, target) : new Int32Array(0)
  const numbers =
    target.task === 'regression'
      ? Float32Array.from(
          usable,
          (row) => ((regressionValue(table, row, target.index) ?? 0) - target.mean) / target.deviation,
        )
      : new Float32Array(0)
  return { count: usable.length, inputs, classes, numbers, dropped: rows.length - usable.length }
}

function encodeField(column: ColumnEncoding, field: string, table: CsvTable, into: Float32Array, at: number): void {
  if (column.kind === 'number') {
    const value = isMissing(field) ? undefined : numberIn(field, table.delimiter)
    if (value !== undefined) {
      const scaled = (value - column.mean) / column.deviation
      into[at] = Math.min(MOST_DEVIATIONS, Math.max(-MOST_DEVIATIONS, scaled))
    } else if (column.indicator) into[at + 1] = 1
  } else if (column.kind === 'category') {
    const found = column.categories.indexOf(isMissing(field) ? column.fill : field)
    if (found >= 0) into[at + found] = 1
    else if (column.other) into[at + column.categories.length] = 1
  }
}

function classNumbers(
  table: CsvTable,
  rows: readonly CsvRecord[],
  target: TargetEncoding & { task: 'classification' },
): Int32Array {
  const numbers = new Map(target.classes.map((name, i) => [name, i]))
  return Int32Array.from(rows, ({ fields, line }) => {
    const field = fields[target.index] ?? ''
    const number = numbers.get(field)
    if (number !== undefined) return number
    const message = `${table.file}, line ${line}: ${target.name} is "${field.slice(0, 40)}", which the training rows never say; they say ${target.classes.slice(0, 20).join(', ')}. Correct or remove the line.`
    throw new PotluckError('UNKNOWN_CLASS', message, { file: table.file, line, value: field.slice(0, 40) })
  })
}
