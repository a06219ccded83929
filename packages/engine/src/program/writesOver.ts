import type { ScalarProgram } from '../scalar/ScalarProgram.ts'
import type { MapOperation } from './Program.ts'

/**
 * Whether output number `place` of a map may lie on tensor `id`, which the map reads: it reads it as the same element
 * (`full`), and once the output is computed nothing that depends on the old value is left to compute. Then an executor
 * may work in any order, in lanes, blocks or threads, as long as it computes each element once.
 */
export function writesOver({ scalar, operands }: MapOperation, place: number, id: number): boolean {
  return operands.every((operand, input) => {
    if (!('tensor' in operand) || operand.tensor !== id) return true
    return operand.from === 'full' && isSpent(scalar, input, scalar.outputs[place]!)
  })
}

/** Whether nothing computed after register `output` depends on input number `input`, but through `output` itself. */
function isSpent({ instructions }: ScalarProgram, input: number, output: number): boolean {
  const dependent = new Set<number>()
  for (const [at, { operation, arguments: from, immediate }] of instructions.entries()) {
    if (operation === 'input') {
      if (immediate !== input) continue
      if (at === output) return false
    } else if (!from.some((register) => dependent.has(register))) continue
    else if (at > output) return false
    if (at !== output) dependent.add(at)
  }
  return true
}
