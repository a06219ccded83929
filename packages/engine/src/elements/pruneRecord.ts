import type { Instruction } from '../scalar/ScalarProgram.ts'
import type { ComputedRecord } from './ElementRecord.ts'

/** The same element from the instructions and operands that it needs and no others: an output of several costs a judge only its own part. */
export function pruneRecord(record: ComputedRecord): ComputedRecord {
  const needed = new Set<number>([record.output])
  for (let i = record.instructions.length - 1; i >= 0; i--) {
    if (needed.has(i)) for (const register of record.instructions[i]!.arguments) needed.add(register)
  }
  const kept = [...needed].toSorted((a, b) => a - b)
  const registers = new Map(kept.map((from, to) => [from, to]))
  const read = new Set(kept.flatMap((i) => inputOf(record.instructions[i]!)))
  const operands = [...read].toSorted((a, b) => a - b)
  const inputs = new Map(operands.map((from, to) => [from, to]))
  return {
    ...record,
    operands: operands.map((i) => record.operands[i]!),
    instructions: kept.map((i) => {
      const instruction = record.instructions[i]!
      const from = instruction.arguments.map((register) => registers.get(register)!)
      const immediate = instruction.operation === 'input' ? inputs.get(instruction.immediate)! : instruction.immediate
      return { ...instruction, arguments: from, immediate }
    }),
    output: registers.get(record.output)!,
  }
}

const inputOf = ({ operation, immediate }: Instruction): number[] => (operation === 'input' ? [immediate] : [])
