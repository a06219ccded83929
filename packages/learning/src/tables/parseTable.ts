import { PotluckError } from '@potluck/protocol'
import type { TableRow } from './tableRow.ts'
import { type Column, heartSchema, type TableSchema } from './tableSchema.ts'

// What JavaScript would also take as a number ('', ' 1 ', '0x10', 'Infinity') is a slip of the keyboard in a table.
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

type Place = { file: string; lineIndex: number; column: string; value: string }

function refuse(code: string, place: Place, expected: string): PotluckError {
  const shown = place.value.slice(0, 40)
  return new PotluckError(
    code,
    `${place.file}, line ${place.lineIndex + 1}, column ${place.column}: expected ${expected}, got "${shown}". Correct the field or remove the line.`,
    { file: place.file, line: place.lineIndex + 1, column: place.column, value: shown },
  )
}

function readNumber(place: Place): number {
  const value = decimal.test(place.value) ? Number(place.value) : Number.NaN
  if (!Number.isFinite(value)) throw refuse('BAD_NUMBER', place, 'a number')
  return value
}

/** Reads one field: appends its inputs, or returns the label. */
function readField(column: Column, place: Place, inputs: number[]): 0 | 1 | undefined {
  const value = readNumber(place)
  if (column.kind === 'number') {
    if (value < column.min || value > column.max) {
      throw refuse('OUT_OF_RANGE', place, `a number from ${column.min} to ${column.max}`)
    }
    inputs.push(value)
  } else if (column.kind === 'category') {
    if (!column.levels.includes(value)) throw refuse('BAD_CATEGORY', place, `one of ${column.levels.join(', ')}`)
    for (const level of column.levels.slice(1)) inputs.push(value === level ? 1 : 0)
  } else if (column.kind === 'label') {
    if (!Number.isInteger(value) || value < 0 || value > column.max) {
      throw refuse('BAD_LABEL', place, `a whole number from 0 to ${column.max}`)
    }
    return value > column.positiveAbove ? 1 : 0
  }
  return undefined
}

/**
 * The usable rows of a headerless comma-separated table, and the lines (from 0) left out because a field is missing.
 *
 * Fields are trimmed; line ends may be LF or CRLF; empty lines at the end are ignored. Ignored columns are not looked at, so
 * text there does no harm; a field missing there does not drop the row (L-01, L-02).
 *
 * @param file only for error messages
 * @throws PotluckError MISSING_COLUMNS, BAD_NUMBER, OUT_OF_RANGE, BAD_CATEGORY, BAD_LABEL, NO_ROWS, each with file, line
 *   (from 1), column and value
 */
export function parseTable(
  text: string,
  schema: TableSchema,
  source: { file: string },
): { rows: TableRow[]; droppedLines: number[] } {
  const { file } = source
  const lines = text.trimEnd().split(/\r?\n/)
  const rows: TableRow[] = []
  const droppedLines: number[] = []
  lines.forEach((line, lineIndex) => {
    const fields = line.split(',').map((field) => field.trim())
    if (fields.length !== schema.columns.length) {
      throw new PotluckError(
        'MISSING_COLUMNS',
        `${file}, line ${lineIndex + 1}: expected ${schema.columns.length} comma-separated columns (${schema.columns.map((c) => c.name).join(', ')}), got ${fields.length} in "${line.slice(0, 80)}". Complete the line, or export the table again without a header.`,
        { file, line: lineIndex + 1, column: schema.columns[fields.length]?.name ?? null, value: line.slice(0, 80) },
      )
    }
    const inputs: number[] = []
    let label: 0 | 1 | undefined
    let hasMissing = false
    schema.columns.forEach((column, at) => {
      const value = fields[at] as string
      if (column.kind === 'ignored') return
      // Keep checking the other fields: a typing error in a row that is dropped anyway is still worth telling.
      if (value === schema.missing) hasMissing = true
      else label = readField(column, { file, lineIndex, column: column.name, value }, inputs) ?? label
    })
    if (hasMissing || label === undefined) droppedLines.push(lineIndex)
    else rows.push({ lineIndex, inputs: Float64Array.from(inputs), label })
  })
  if (rows.length === 0) {
    throw new PotluckError('NO_ROWS', `${file}: none of the ${lines.length} lines has all fields. Add complete rows.`, {
      file,
      lines: lines.length,
    })
  }
  return { rows, droppedLines }
}

/** The usable rows of one hospital's heart disease table. Errors as for `parseTable`. */
export function parseHeartCsv(text: string, source: { file: string }): TableRow[] {
  return parseTable(text, heartSchema, source).rows
}
