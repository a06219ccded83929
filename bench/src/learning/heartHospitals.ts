/** The four hospitals as FLamby's Fed-Heart-Disease reads them: its split, and its scaling by each hospital's own training rows. */
import { readFileSync } from 'node:fs'
import { parseHeartCsv, type Rows, splitByLines, type TableRow } from '@potluck/learning'

export const hospitals = ['cleveland', 'hungarian', 'switzerland', 'va'] as const
/** Numbers in a row. */
export const heartInputs = 13

const folder = new URL('../../../data/heart/', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8')

export type HeartSplit = { readonly train: Rows; readonly test: Rows }
export type HeartTables = {
  /** Each scaled by its own training rows. */
  readonly own: readonly HeartSplit[]
  /** All together, scaled by all training rows. */
  readonly pooled: HeartSplit
}

export function heartTables(): HeartTables {
  const split: { hospitals: Record<string, { test: number[] }> } = JSON.parse(read('split.json'))
  const parts = hospitals.map((hospital) => {
    const file = `processed.${hospital}.data`
    return splitByLines(parseHeartCsv(read(file), { file }), split.hospitals[hospital]!.test)
  })
  const all = { train: parts.flatMap(({ train }) => train), test: parts.flatMap(({ test }) => test) }
  return { own: parts.map(scaled), pooled: scaled(all) }
}

/** By mean and sample deviation of the training rows, 1e-9 added to the deviation, as published. */
function scaled({ train, test }: { train: readonly TableRow[]; test: readonly TableRow[] }): HeartSplit {
  const columns = Array.from({ length: heartInputs }, (_, j) => {
    const values = train.map(({ inputs }) => inputs[j]!)
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const square = values.reduce((sum, x) => sum + (x - mean) * (x - mean), 0)
    return { mean, sd: Math.sqrt(square / (values.length - 1)) + 1e-9 }
  })
  const rowsOf = (rows: readonly TableRow[]): Rows => ({
    kind: 'rows',
    inputs: Float32Array.from(rows.flatMap(({ inputs }) => columns.map(({ mean, sd }, j) => (inputs[j]! - mean) / sd))),
    targets: Int32Array.from(rows, ({ label }) => label),
  })
  return { train: rowsOf(train), test: rowsOf(test) }
}
