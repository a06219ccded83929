/** 2^20, as L-15 has it: no update of a model that learns is near it, and no square or sum below it overflows. */
export const LARGEST_ELEMENT = 1_048_576

/** Whether every number of an update lies within ±2^20; a NaN does not (L-30). */
export function isSound(update: Float32Array): boolean {
  for (let j = 0; j < update.length; j++) if (!(Math.abs(update[j]!) <= LARGEST_ELEMENT)) return false
  return true
}

/** Places of the sound updates, in order. */
export const soundUpdates = (updates: readonly Float32Array[]): number[] =>
  updates.flatMap((update, i) => (isSound(update) ? [i] : []))
