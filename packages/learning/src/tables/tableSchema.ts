/**
 * What a column of a table holds.
 *
 * `number`: a finite number from `min` to `max` (both allowed). `category`: one of `levels`, coded as one 0/1 input per
 * level but the first. `label`: an integer from 0 to `max`; above `positiveAbove` the row counts as positive. `ignored`:
 * not read. (L-03)
 */
export type Column =
  | { readonly name: string; readonly kind: 'number'; readonly min: number; readonly max: number }
  | { readonly name: string; readonly kind: 'category'; readonly levels: readonly number[] }
  | { readonly name: string; readonly kind: 'label'; readonly max: number; readonly positiveAbove: number }
  | { readonly name: string; readonly kind: 'ignored' }

/** A headerless table with comma-separated columns in this order; `missing` is the field that stands for "not known". */
export type TableSchema = { readonly name: string; readonly missing: string; readonly columns: readonly Column[] }

/** The names of the model inputs a schema gives, in order: `age`, or `cp=2` for a level of a category. */
export function inputNames(schema: TableSchema): string[] {
  const names: string[] = []
  for (const column of schema.columns) {
    if (column.kind === 'number') names.push(column.name)
    if (column.kind === 'category') names.push(...column.levels.slice(1).map((level) => `${column.name}=${level}`))
  }
  return names
}

/**
 * The UCI heart disease table of four hospitals, read as FLamby's Fed-Heart-Disease does: slope, ca and thal are left out
 * because most rows lack them. 13 inputs; positive: any narrowing (num > 0).
 *
 * The ranges are wide enough for every published row (a pressure or cholesterol of 0 occurs there) and catch swapped columns.
 */
export const heartSchema: TableSchema = {
  name: 'heart-disease',
  missing: '?',
  columns: [
    { name: 'age', kind: 'number', min: 0, max: 120 },
    { name: 'sex', kind: 'category', levels: [0, 1] },
    { name: 'cp', kind: 'category', levels: [1, 2, 3, 4] },
    { name: 'trestbps', kind: 'number', min: 0, max: 300 },
    { name: 'chol', kind: 'number', min: 0, max: 1000 },
    { name: 'fbs', kind: 'category', levels: [0, 1] },
    { name: 'restecg', kind: 'category', levels: [0, 1, 2] },
    { name: 'thalach', kind: 'number', min: 0, max: 250 },
    { name: 'exang', kind: 'category', levels: [0, 1] },
    { name: 'oldpeak', kind: 'number', min: -10, max: 10 },
    { name: 'slope', kind: 'ignored' },
    { name: 'ca', kind: 'ignored' },
    { name: 'thal', kind: 'ignored' },
    { name: 'num', kind: 'label', max: 4, positiveAbove: 0 },
  ],
}
