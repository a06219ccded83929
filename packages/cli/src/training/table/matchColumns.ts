import { PotluckError } from '@potluck/protocol'
import type { CsvTable } from './parseCsv.ts'

/**
 * A second table in the column order of the first: by name, or by position where neither names its columns. More columns are left out.
 *
 * @throws PotluckError MISSING_COLUMNS with the names
 */
export function matchColumns(table: CsvTable, columns: readonly string[]): CsvTable {
  const places = columns.map((name) => table.columns.indexOf(name))
  const missing = columns.filter((_, i) => places[i] === -1)
  if (missing.length > 0) {
    const message = `${table.file} has no column ${missing.slice(0, 10).join(', ')}; it must have those of the training table`
    throw new PotluckError('MISSING_COLUMNS', message, { file: table.file, missing: missing.slice(0, 10).join(',') })
  }
  if (places.every((place, i) => place === i) && table.columns.length === columns.length) return table
  const rows = table.rows.map(({ fields, line }) => ({ fields: places.map((place) => fields[place] ?? ''), line }))
  return { ...table, columns, rows }
}
