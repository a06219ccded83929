import { createTeam } from './createTeam.ts'

export type NativeUpdateOptions = {
  /** Threads that work on one pass, the caller's among them; 1 unless given. */
  readonly threads?: number
  /** A level of `nativeLevels()`; the best of this processor unless given. No bit depends on it. */
  readonly level?: string
}

/** `UpdateKernels` of the learning package, with threads to end. */
export type NativeUpdateKernels = {
  readonly threads: number
  readonly together: number
  measure(updates: readonly Float32Array[], reference: Float32Array, squares: Float32Array, dots: Float32Array): void
  add(updates: readonly Float32Array[], factors: Float32Array, moved: Float32Array): void
  close(): void
}

/**
 * The passes of `aggregateStream` over updates in C: the bits of the plain ones, at the speed of the memory.
 *
 * @throws PotluckError NO_NATIVE when the native executor is not built; BAD_OPTION; from the passes SHAPE, and CLOSED after `close`
 */
export function createNativeUpdateKernels(options: NativeUpdateOptions = {}): NativeUpdateKernels {
  const { addon, handle, level, threads } = createTeam(options)
  return {
    threads,
    // Eight for each thread: the reference is then read once for eight updates, the sum written once for eight.
    together: 8 * threads,
    measure(updates, reference, squares, dots) {
      if (updates.length > 0) {
        addon.measureUpdates(handle, level, updates, reference.length, reference, squares, dots)
      }
    },
    add(updates, factors, moved) {
      if (updates.length > 0) addon.addUpdates(handle, level, updates, moved.length, moved, factors, factors)
    },
    close() {
      addon.endTeam(handle)
    },
  }
}
