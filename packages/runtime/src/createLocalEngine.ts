import { createReferenceEngine, type Engine } from '@potluck/engine'
import { createNativeEngine, isNativeAvailable } from './native/createNativeEngine.ts'
import { createThreadedWasmEngine } from './threads/createThreadedWasmEngine.ts'

export type LocalOptions = {
  /** `auto` takes the native executor where it is built, else WebAssembly. Default `auto`. */
  readonly executor?: 'auto' | 'native' | 'wasm' | 'reference'
  /** Threads that work on one run, the caller's among them; 1 unless given. The reference executor has one. */
  readonly threads?: number
}

/**
 * An engine of this machine. Which one it is changes the speed, never a bit (E-02).
 *
 * @throws PotluckError NO_NATIVE when `native` is asked for and not built; BAD_OPTION
 */
export async function createLocalEngine({ executor = 'auto', threads = 1 }: LocalOptions = {}): Promise<Engine> {
  if (executor === 'reference') return createReferenceEngine()
  const isNative = executor === 'native' || (executor === 'auto' && isNativeAvailable())
  return isNative ? createNativeEngine({ threads }) : createThreadedWasmEngine({ threads })
}
