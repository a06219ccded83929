import { type Program, sizeOf } from '../program/Program.ts'
import { planProgram } from './compileProgram.ts'

export type MemoryPrediction = {
  /** All memory an execution takes for its tensors and its threads. */
  readonly peakBytes: number
  /** Inputs, outputs and carried tensors, which keep their place. */
  readonly keptBytes: number
  /** Copies that the kernels make for themselves, all threads together. */
  readonly scratchBytes: number
}

/** What running a program will take, without running it. Cost: some milliseconds. */
export function predictMemory(program: Program, { threads = 1, keepAll = false } = {}): MemoryPrediction {
  const { plan, scratchBytes } = planProgram(program, keepAll, threads)
  const baseOf = (id: number): number => program.tensors[id]!.view?.base ?? id
  const kept = new Set(
    [
      ...Object.values(program.inputs),
      ...Object.values(program.outputs),
      ...program.carries.flatMap(({ from, to }) => [from, to]),
    ].map(baseOf),
  )
  return {
    peakBytes: plan.peakBytes,
    keptBytes: [...kept].reduce((bytes, id) => bytes + 4 * sizeOf(program.tensors[id]!), 0),
    scratchBytes: threads * scratchBytes,
  }
}
