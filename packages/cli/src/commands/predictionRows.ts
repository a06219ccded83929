import { PotluckError } from '@potluck/protocol'
import type { Tensor } from '@potluck/sdk'

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const MAX_ROWS = 10_000

/** Rows to predict, by column. */
export type Columns = ReadonlyMap<string, readonly number[]>

/**
 * The rows of comma-separated text whose first line names the columns; more columns than asked for are left out.
 *
 * @throws PotluckError MISSING_COLUMNS with the names, BAD_NUMBER with line, column and value seen, NO_ROWS, TOO_MANY_ROWS
 */
export function parsePredictionRows(text: string, wanted: readonly string[], file: string): Columns {
  const lines = text.trimEnd().split(/\r?\n/)
  const header = (lines[0] ?? '').split(',').map((name) => name.trim())
  const missing = wanted.filter((name) => !header.includes(name))
  if (missing.length > 0) {
    throw new PotluckError(
      'MISSING_COLUMNS',
      `${file}: the first line names no ${missing.join(', ')}; got "${(lines[0] ?? '').slice(0, 80)}". Name the columns ${wanted.join(', ')} there, in any order.`,
      { file, missing: missing.join(',') },
    )
  }
  const rows = lines.slice(1)
  if (rows.length === 0) throw new PotluckError('NO_ROWS', `${file}: no row below the names of the columns`, { file })
  if (rows.length > MAX_ROWS) {
    throw new PotluckError('TOO_MANY_ROWS', `${file}: ${rows.length} rows, ${MAX_ROWS} at most in one file`, {
      file,
      rows: rows.length,
    })
  }
  const fields = rows.map((row) => row.split(',').map((field) => field.trim()))
  return new Map(
    wanted.map((name) => {
      const at = header.indexOf(name)
      return [name, fields.map((row, i) => readNumber(row[at] ?? '', { file, line: i + 2, column: name }))]
    }),
  )
}

function readNumber(value: string, place: { file: string; line: number; column: string }): number {
  const number = decimal.test(value) ? Number(value) : Number.NaN
  if (Number.isFinite(number)) return number
  const message = `${place.file}, line ${place.line}, column ${place.column}: expected a number, got "${value.slice(0, 40)}". Correct the field or remove the line.`
  throw new PotluckError('BAD_NUMBER', message, { ...place, value: value.slice(0, 40) })
}

/** One row from `--input name=value`. Throws MISSING_INPUTS or UNKNOWN_INPUTS with the names. */
export function oneRow(inputs: Readonly<Record<string, number>>, wanted: readonly string[]): Columns {
  const missing = wanted.filter((name) => !Object.hasOwn(inputs, name))
  const unknown = Object.keys(inputs).filter((name) => !wanted.includes(name))
  if (missing.length > 0) {
    const message = `no value for ${missing.join(', ')}: add ${missing.map((name) => `--input ${name}=…`).join(' ')}`
    throw new PotluckError('MISSING_INPUTS', message, { missing: missing.join(',') })
  }
  if (unknown.length > 0) {
    const message = `the model has no input ${unknown.join(', ')}: it takes ${wanted.join(', ')}`
    throw new PotluckError('UNKNOWN_INPUTS', message, { unknown: unknown.join(',') })
  }
  return new Map(wanted.map((name) => [name, [inputs[name] ?? 0]]))
}

/** One tensor a column, as the Open Inference Protocol has it. */
export const tensorsOf = (columns: Columns): Tensor[] =>
  [...columns].map(([name, values]) => ({ name, shape: [values.length], datatype: 'FP64', data: [...values] }))
