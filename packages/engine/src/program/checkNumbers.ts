import { PotluckError } from '@potluck/protocol'
import type { Operation } from './Program.ts'

/** Index of the first NaN, or −1. A loop: `findIndex` calls a function for each element, which costs more than the step it guards. */
export function firstNan(values: Float32Array | Int32Array): number {
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) return i
  }
  return -1
}

/** Throws NAN for the first element that is not a number: NaN never leaves an operator (E-05). */
export function checkNumbers(values: Float32Array, operation: Operation): void {
  const index = firstNan(values)
  if (index >= 0) {
    throw new PotluckError(
      'NAN',
      `${operation.kind} ${operation.label} gave NaN at element ${index}: lower the learning rate or check the data`,
      { operator: operation.kind, label: operation.label, index },
    )
  }
}

/** Throws INDEX for the first row index outside 0 to tableRows − 1 (E-12). */
export function checkIndices(indices: Int32Array, tableRows: number, operation: Operation): void {
  const at = indices.findIndex((index) => index < 0 || index >= tableRows)
  if (at >= 0) {
    throw new PotluckError(
      'INDEX',
      `${operation.kind} ${operation.label}: index ${indices[at]} at position ${at}, expected 0 to ${tableRows - 1}`,
      { operator: operation.kind, label: operation.label, index: at },
    )
  }
}
