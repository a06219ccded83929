import type { Execution } from './program/Execution.ts'
import type { Program } from './program/Program.ts'
import { programRoot } from './program/programRoot.ts'
import { referenceExecution } from './reference/referenceExecution.ts'
import { type CompiledProgram, compileProgram } from './wasm/compileProgram.ts'
import { wasmExecution } from './wasm/wasmExecution.ts'

/** Turns programs into executions. Which executor stands behind it changes the speed, never a bit. */
export type Engine = {
  readonly executor: 'wasm' | 'reference'
  /** A fresh execution with memory of its own; tensors start at zero. */
  prepare(program: Program): Promise<Execution>
}

/** The fast engine: WebAssembly, one thread. Each program is compiled once, whatever the number of executions. */
export async function createEngine(): Promise<Engine> {
  const compiled = new Map<string, Promise<CompiledProgram>>()
  return {
    executor: 'wasm',
    async prepare(program) {
      const root = programRoot(program)
      const known = compiled.get(root) ?? compileProgram(program)
      compiled.set(root, known)
      return wasmExecution(await known)
    },
  }
}

/** The slow engine that defines the result: plain TypeScript, element by element. For tests and small programs. */
export const createReferenceEngine = (): Engine => ({
  executor: 'reference',
  prepare: async (program) => referenceExecution(program),
})
