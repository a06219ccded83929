import { PotluckError } from '@potluck/protocol'

/** One usable row: raw (unscaled) inputs in the order of `inputNames`, and the line it came from, counted from 0. */
export type TableRow = { readonly lineIndex: number; readonly inputs: Float64Array; readonly label: 0 | 1 }

/**
 * The rows whose line is in `testLines`, and the rest, both in file order.
 *
 * @throws PotluckError BAD_SPLIT when a test line holds no usable row: the split belongs to another file or another schema
 */
export function splitByLines(
  rows: readonly TableRow[],
  testLines: readonly number[],
): { train: TableRow[]; test: TableRow[] } {
  const wanted = new Set(testLines)
  const test = rows.filter((row) => wanted.has(row.lineIndex))
  if (test.length !== wanted.size) {
    const found = new Set(test.map((row) => row.lineIndex))
    const absent = [...wanted].filter((line) => !found.has(line))
    throw new PotluckError(
      'BAD_SPLIT',
      `the split names ${absent.length} lines without a usable row (counted from 0: ${absent.slice(0, 5).join(', ')}): use the split made for this file`,
      { absent: absent.length },
    )
  }
  return { train: rows.filter((row) => !wanted.has(row.lineIndex)), test }
}
