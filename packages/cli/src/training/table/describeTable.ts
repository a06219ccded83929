import { table as aligned } from '../../demo/Screen.ts'
import type { TableEncoding } from './encodeRows.ts'
import { type ColumnEncoding, inputsOf } from './fitColumns.ts'
import type { CsvTable } from './parseCsv.ts'

const names = { '\t': 'tab', ';': 'semicolon', ',': 'comma' } as const
const short = (value: number): string => String(Number(value.toPrecision(4)))
const MOST_LINES = 30

/** What was done with a table, for a person: one line for the file, one a column, one for the target. */
export function describeTable(table: CsvTable, encoding: TableEncoding): string[] {
  const { target } = encoding
  const rows = encoding.columns.slice(0, MOST_LINES).map((column) => [column.name, column.kind, ...describe(column)])
  const more = encoding.columns.length - rows.length
  const said =
    target.task === 'classification'
      ? `${target.classes.length} classes: ${target.classes.slice(0, 8).join(', ')}${target.classes.length > 8 ? ', …' : ''}`
      : `mean ${short(target.mean)}, deviation ${short(target.deviation)}`
  return [
    `${table.file}: ${table.rows.length} rows, parted by ${names[table.delimiter]}, ${table.hasHeader ? 'named columns' : 'no names: columns are c1, c2, …'}`,
    ...aligned([['column', 'kind', 'inputs', 'what was done'], ...rows]).map((line) => `  ${line.trimEnd()}`),
    ...(more > 0 ? [`  and ${more} more columns`] : []),
    `  target ${target.name}: ${target.task} (${target.why}); ${said}`,
  ]
}

function describe(column: ColumnEncoding): [inputs: string, done: string] {
  const inputs = String(inputsOf(column))
  if (column.kind === 'ignored') return [inputs, `left out: ${column.why}`]
  if (column.kind === 'number') {
    const missing = column.missing > 0 ? `; ${column.missing} missing take the mean and are marked` : ''
    const strays = column.strays > 0 ? `; ${column.strays} that are no numbers count as missing` : ''
    return [inputs, `less ${short(column.mean)}, by ${short(column.deviation)}${missing}${strays}`]
  }
  const missing = column.missing > 0 ? `; ${column.missing} missing are one of them` : ''
  const other = column.other ? '; rare and unseen ones share an input' : ''
  return [inputs, `${column.categories.length} categories${missing}${other}`]
}
