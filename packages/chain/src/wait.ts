import { setTimeout } from 'node:timers/promises'

/** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
export const wait = (ms: number, signal?: AbortSignal): Promise<void> => setTimeout(ms, undefined, signal && { signal })
