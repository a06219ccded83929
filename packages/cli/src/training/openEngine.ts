import { availableParallelism } from 'node:os'
import type { Engine } from '@potluck/engine'
import { createLocalEngine, createNativeEngine, isNativeAvailable, nativeInfo, nativeLevels } from '@potluck/runtime'

export type ExecutorChoice = 'auto' | 'native' | 'wasm' | 'reference'

/**
 * The engine asked for, or the best this machine has, on as many threads as it runs at once unless told. The bits are the same.
 *
 * @throws PotluckError NO_NATIVE where native is asked for and is not there
 */
export const openEngine = (executor: ExecutorChoice, threads = availableParallelism()): Promise<Engine> =>
  createLocalEngine({ executor, threads })

/** What the native executor is; null where there is none. */
export const describeNative = (): { level: string; compiler: string; sha: string } | null =>
  isNativeAvailable() ? nativeInfo() : null

/** Every way this machine can compute: each executor, on one thread and on all; the native one at its best level, or at every. */
export function allEngines(levels: 'best' | 'every'): (() => Promise<Engine>)[] {
  const counts = threadCounts(availableParallelism())
  const known = isNativeAvailable() ? nativeLevels() : []
  const native = known
    .slice(0, levels === 'best' ? 1 : known.length)
    .flatMap((level) => counts.map((threads) => async () => createNativeEngine({ level, threads })))
  const wasm = counts.map((threads) => () => openEngine('wasm', threads))
  return [...native, ...wasm, () => openEngine('reference', 1)]
}

/** Thread counts worth looking at: one, and all. */
export const threadCounts = (all: number): number[] => (all > 1 ? [1, all] : [1])
