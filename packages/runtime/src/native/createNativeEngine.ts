import { totalmem } from 'node:os'
import { checkProgram, type Engine, type PrepareOptions, type Program } from '@potluck/engine'
import { codeOf } from '@potluck/protocol'
import { createTeam } from './createTeam.ts'
import { loadAddon } from './loadAddon.ts'
import { checkOpen, type NativeExecution, nativeExecution } from './nativeExecution.ts'
import { readBuildRecord } from './nativeFiles.ts'

export type NativeOptions = {
  /** Threads that work on one run, the caller's among them; 1 unless given. */
  readonly threads?: number
  /** A level of `nativeLevels()`; the best of this processor unless given. No bit depends on it. */
  readonly level?: string
  /** Programs whose tensors need more are refused with OUT_OF_MEMORY; the memory of the machine unless given. */
  readonly memoryLimitBytes?: number
}

export type NativeEngine = Omit<Engine, 'prepare'> & {
  readonly level: string
  prepare(program: Program, options?: PrepareOptions): Promise<NativeExecution>
}

/**
 * The engine in C, built at install. Same bits as every other executor, at the speed of the processor's vectors.
 *
 * @throws PotluckError NO_NATIVE when it is not built; BAD_OPTION when an option does not fit this machine;
 * OUT_OF_MEMORY and SHAPE from `prepare`; CLOSED after `close`
 */
export function createNativeEngine(options: NativeOptions = {}): NativeEngine {
  const { memoryLimitBytes = totalmem() } = options
  const { addon, handle, level, threads } = createTeam(options)
  const team = { addon, handle, level, memoryLimitBytes, isClosed: false }
  return {
    executor: 'native',
    threads,
    level,
    async prepare(program, options = {}) {
      checkOpen(team)
      checkProgram(program)
      return nativeExecution(team, program, options)
    },
    async close() {
      team.isClosed = true
      addon.endTeam(handle)
    },
  }
}

/** Whether the native executor is built here and loads. */
export function isNativeAvailable(): boolean {
  try {
    loadAddon()
    return true
  } catch (error) {
    if (codeOf(error) === 'NO_NATIVE') return false
    throw error
  }
}

/** Levels of this processor that the native executor has kernels for, best first. Throws NO_NATIVE. */
export const nativeLevels = (): readonly string[] => loadAddon().levels

/** What the native executor is: its level, what built it, how it hashes. Throws NO_NATIVE. */
export function nativeInfo(): { level: string; compiler: string; sha: string } {
  const addon = loadAddon()
  return { level: addon.levels[0]!, compiler: readBuildRecord()?.compiler ?? 'unknown', sha: addon.sha }
}
