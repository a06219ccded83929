import { PotluckError } from '@potluck/protocol'
import { score, sigmoid } from './logistic.ts'
import { type Scaling, standardise } from './scaling.ts'
import type { TableRow } from './tableRow.ts'
import { heartSchema, inputNames, type TableSchema } from './tableSchema.ts'

/** A trained logistic model with all it takes to use it. `weights` are for scaled inputs, the last one is the intercept. */
export type LogisticModel = {
  readonly schema: string
  readonly inputs: readonly string[]
  readonly scaling: Scaling
  readonly weights: readonly number[]
}

/** The probability of a positive label for raw inputs in the model's order. */
export function predictLogistic(model: LogisticModel, inputs: Float64Array): number {
  if (inputs.length !== model.inputs.length) {
    throw new PotluckError('BAD_INPUTS', `expected ${model.inputs.length} inputs, got ${inputs.length}`)
  }
  const x = new Float64Array(model.weights.length)
  standardise(inputs, model.scaling, x)
  return sigmoid(score(x, model.weights))
}

/** How many rows the model gets right (a probability above one half means positive). */
export function evaluateLogistic(
  model: LogisticModel,
  rows: readonly TableRow[],
): { correct: number; rows: number; accuracy: number } {
  const correct = rows.filter((row) => predictLogistic(model, row.inputs) > 0.5 === (row.label === 1)).length
  return { correct, rows: rows.length, accuracy: rows.length === 0 ? 0 : correct / rows.length }
}

/**
 * Model inputs from named raw values, checked against a schema (L-20).
 *
 * @param values one number for each number and category column; other names are refused, so that a misspelt one is noticed
 * @throws PotluckError BAD_INPUTS with the column, the value and what is allowed
 */
export function inputsFromValues(schema: TableSchema, values: Readonly<Record<string, unknown>>): Float64Array {
  const wanted = schema.columns.filter((column) => column.kind === 'number' || column.kind === 'category')
  const names = wanted.map((column) => column.name)
  const unknown = Object.keys(values).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new PotluckError('BAD_INPUTS', `there is no input ${unknown.slice(0, 40)}: send ${names.join(', ')}`)
  }
  const inputs: number[] = []
  for (const column of wanted) {
    const value = Object.hasOwn(values, column.name) ? values[column.name] : undefined
    const allowed = column.kind === 'number' ? `${column.min} to ${column.max}` : `one of ${column.levels.join(', ')}`
    const isAllowed =
      typeof value === 'number' &&
      (column.kind === 'number' ? value >= column.min && value <= column.max : column.levels.includes(value))
    if (!isAllowed) {
      throw new PotluckError(
        'BAD_INPUTS',
        `input ${column.name} must be a number, ${allowed}; got ${String(value).slice(0, 40)}`,
        { column: column.name },
      )
    }
    if (column.kind === 'number') inputs.push(value)
    else for (const level of column.levels.slice(1)) inputs.push(value === level ? 1 : 0)
  }
  return Float64Array.from(inputs)
}

/**
 * The probability of heart disease for one patient: `{ age: 63, sex: 1, cp: 1, trestbps: 145, ... }`.
 *
 * A research table of 1988, four hospitals: an example of training together, not a medical device.
 *
 * @throws PotluckError BAD_INPUTS; WRONG_MODEL when the model was not trained on the heart table
 */
export function predictHeart(model: LogisticModel, values: Readonly<Record<string, unknown>>): number {
  if (model.schema !== heartSchema.name || model.inputs.join() !== inputNames(heartSchema).join()) {
    throw new PotluckError('WRONG_MODEL', `expected a model of ${heartSchema.name}, got one of ${model.schema}`)
  }
  return predictLogistic(model, inputsFromValues(heartSchema, values))
}
