import type { Delimiter } from './readRecords.ts'

const missing = new Set(['', '?', 'na', 'n/a', 'nan', 'null', 'none', '#n/a'])

/** Whether a field says that its value is not known. */
export const isMissing = (field: string): boolean => missing.has(field.toLowerCase())

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const decimalComma = /^[+-]?\d+,\d+$/

/** The finite number a field holds; a decimal comma only where semicolons or tabs part the fields. Undefined for anything else. */
export function numberIn(field: string, delimiter: Delimiter): number | undefined {
  if (decimal.test(field)) return finite(Number(field))
  if (delimiter !== ',' && decimalComma.test(field)) return finite(Number(field.replace(',', '.')))
  return undefined
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined)
