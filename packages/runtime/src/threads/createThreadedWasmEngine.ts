import { createEngine, type Engine, type EngineOptions } from '@potluck/engine'
import { nodeTensorRoot } from './nodeTensorRoot.ts'
import { spawnNodeThread } from './spawnNodeThread.ts'

/**
 * The WebAssembly engine on threads of this process, with Node's own SHA-256 for the state roots.
 *
 * @param options.threads how many work on one run, the calling one included; 1 starts none
 * @throws PotluckError BAD_OPTION
 */
export const createThreadedWasmEngine = (
  options: Pick<EngineOptions, 'threads' | 'memoryLimitBytes' | 'leastShared'> = {},
): Promise<Engine> => createEngine({ ...options, spawn: spawnNodeThread, hash: nodeTensorRoot })
