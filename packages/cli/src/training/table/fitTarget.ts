import { PotluckError } from '@potluck/protocol'
import { isMissing, numberIn } from './fieldValues.ts'
import { statisticsOf } from './fitColumns.ts'
import type { CsvTable } from './parseCsv.ts'
import type { CsvRecord } from './readRecords.ts'

export type TableTask = 'classification' | 'regression'

/** What the model learns to say. `why` tells a person how it was decided. */
export type TargetEncoding =
  | {
      readonly task: 'classification'
      readonly name: string
      readonly index: number
      readonly classes: readonly string[]
      readonly why: string
    }
  | {
      readonly task: 'regression'
      readonly name: string
      readonly index: number
      readonly mean: number
      readonly deviation: number
      readonly why: string
    }

/** Up to so many different whole numbers are classes. */
const MOST_NUMBER_CLASSES = 20
const MOST_CLASSES = 1_000

/** The task that suits a column's values, and why. Missing values do not count. */
export function chooseTask(values: readonly (number | undefined)[]): { task: TableTask; why: string } {
  if (values.some((value) => value === undefined)) return { task: 'classification', why: 'its values are words' }
  const distinct = new Set(values).size
  const whole = values.every((value) => Number.isInteger(value))
  if (whole && distinct <= MOST_NUMBER_CLASSES) {
    return {
      task: 'classification',
      why: `it holds ${distinct} different whole numbers; --task regression predicts the number`,
    }
  }
  return { task: 'regression', why: `it holds ${distinct} different numbers; --task classification makes each a class` }
}

/**
 * The target of a table: classes from all rows given, mean and deviation from `train` alone.
 *
 * @throws PotluckError NO_ROWS when no row has a target, BAD_NUMBER (regression on words, with line and value), BAD_TARGET for fewer
 *   than two classes, too many, or one number everywhere
 */
export function fitTarget(
  table: CsvTable,
  rows: readonly CsvRecord[],
  train: readonly CsvRecord[],
  index: number,
  wanted?: TableTask,
): TargetEncoding {
  const name = table.columns[index] ?? ''
  const refuse = (code: string, why: string): PotluckError =>
    new PotluckError(code, `${table.file}: target ${name} ${why}`, { file: table.file, column: name })
  const fields = rows.map(({ fields }) => fields[index] ?? '').filter((field) => !isMissing(field))
  if (fields.length === 0) throw refuse('NO_ROWS', 'has no value in any row; name another column with --target')
  const chosen = chooseTask(fields.map((field) => numberIn(field, table.delimiter)))
  const task = wanted ?? chosen.task
  const why = wanted ? 'as asked' : chosen.why
  if (task === 'regression') {
    const numbers = train.flatMap((row) => regressionValue(table, row, index) ?? [])
    const { mean, deviation } = statisticsOf(numbers)
    if (deviation === 0) throw refuse('BAD_TARGET', 'is one number in all training rows: there is nothing to learn')
    return { task, name, index, mean, deviation, why }
  }
  const classes = sortClasses([...new Set(fields)], table)
  if (classes.length < 2) throw refuse('BAD_TARGET', `is ${classes[0]} in every row: there is nothing to learn`)
  if (classes.length > MOST_CLASSES) {
    throw refuse(
      'BAD_TARGET',
      `has ${classes.length} classes, ${MOST_CLASSES} at most; name another column with --target`,
    )
  }
  return { task, name, index, classes, why }
}

/** Numbers in their order, then words in that of their characters. */
function sortClasses(classes: string[], table: CsvTable): string[] {
  const order = (text: string): number => numberIn(text, table.delimiter) ?? Number.POSITIVE_INFINITY
  return classes.sort((a, b) => {
    const [m, n] = [order(a), order(b)]
    return m === n ? (a < b ? -1 : 1) : m < n ? -1 : 1
  })
}

/** The number to predict, undefined where it is missing. Throws BAD_NUMBER with line and value. */
export function regressionValue(table: CsvTable, row: CsvRecord, index: number): number | undefined {
  const field = row.fields[index] ?? ''
  if (isMissing(field)) return undefined
  const value = numberIn(field, table.delimiter)
  if (value !== undefined) return value
  const place = `${table.file}, line ${row.line}, column ${table.columns[index]}`
  throw new PotluckError(
    'BAD_NUMBER',
    `${place}: expected a number to predict, got "${field.slice(0, 40)}". Correct the field, or use --task classification.`,
    { file: table.file, line: row.line, value: field.slice(0, 40) },
  )
}
