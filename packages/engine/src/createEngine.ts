import { PotluckError } from '@potluck/protocol'
import type { Execution, PrepareOptions } from './program/Execution.ts'
import type { Program } from './program/Program.ts'
import { programRoot } from './program/programRoot.ts'
import { referenceExecution } from './reference/referenceExecution.ts'
import { type CompiledProgram, compileProgram } from './wasm/compileProgram.ts'
import { type EngineThread, ThreadTeam } from './wasm/ThreadTeam.ts'
import { type TensorHash, wasmExecution } from './wasm/wasmExecution.ts'

/** Turns programs into executions. Which executor stands behind it changes the speed, never a bit. */
export type Engine = {
  readonly executor: 'native' | 'wasm' | 'reference'
  /** How many threads work on one run. */
  readonly threads: number
  /** A fresh execution with memory of its own; tensors start at zero. */
  prepare(program: Program, options?: PrepareOptions): Promise<Execution>
  /** Ends its threads. Executions prepared before must not be run again. */
  close(): Promise<void>
}

export type EngineOptions = {
  /** How many threads work on one run; the calling one is one of them. More than one needs `spawn`. */
  readonly threads?: number
  /** Starts a worker whose entry calls `serveThread`; @potluck/runtime has one for Node. */
  readonly spawn?: () => EngineThread
  /** A faster way to the same tensor roots; without it they are computed in JavaScript. */
  readonly hash?: TensorHash
  /** Programs that need more are refused with OUT_OF_MEMORY; at most, and by default, the 4 GiB of wasm32. */
  readonly memoryLimitBytes?: number
  /** Operations of fewer vector instructions than this, 20,000 by default, are left to one thread. */
  readonly leastShared?: number
}

/**
 * The fast engine: WebAssembly. Each program is compiled once, whatever the number of executions.
 *
 * A run with several threads blocks the calling thread as one with one thread does. On the main thread of a browser tab
 * it waits by spinning, since sleeping is forbidden there: train in a worker.
 *
 * @throws PotluckError BAD_OPTION; OUT_OF_MEMORY from `prepare`, CLOSED after `close`
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const { threads = 1, spawn, hash, memoryLimitBytes, leastShared } = options
  if (!Number.isSafeInteger(threads) || threads < 1 || (threads > 1 && !spawn)) {
    throw new PotluckError('BAD_OPTION', `threads must be whole and at least 1, more only with spawn; got ${threads}`)
  }
  const team = threads > 1 && spawn ? new ThreadTeam(Array.from({ length: threads - 1 }, spawn)) : null
  const compiled = new Map<string, Promise<CompiledProgram>>()
  return {
    executor: 'wasm',
    threads,
    async prepare(program, { keepAll = false } = {}) {
      const key = `${programRoot(program)} ${keepAll}`
      const limits = {
        ...(memoryLimitBytes === undefined ? {} : { limitBytes: memoryLimitBytes }),
        ...(leastShared === undefined ? {} : { leastShared }),
      }
      const known = compiled.get(key) ?? compileProgram(program, { keepAll, threads, ...limits })
      compiled.set(key, known)
      return wasmExecution(await known, team, hash)
    },
    close: async () => team?.close(),
  }
}

/** The slow engine that defines the result: plain TypeScript, element by element. For tests and small programs. */
export const createReferenceEngine = (): Engine => ({
  executor: 'reference',
  threads: 1,
  close: () => Promise.resolve(),
  prepare: async (program) => referenceExecution(program),
})
