import { PotluckError } from '@potluck/protocol'

/** All that 32-bit addresses reach. */
export const wasmLimitBytes = 4294967296

const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6)

/** Throws OUT_OF_MEMORY, with what to change, when `peakBytes` is more than the stated limit or than wasm32 has. */
export function checkMemory(peakBytes: number, limitBytes: number = wasmLimitBytes): void {
  const limit = Math.min(limitBytes, wasmLimitBytes)
  if (peakBytes <= limit) return
  throw new PotluckError(
    'OUT_OF_MEMORY',
    `the program needs ${megabytes(peakBytes)} MB and may have ${megabytes(limit)} MB: take a smaller batch or ` +
      'context, a smaller model, or checkpoints',
    { peakBytes, limitBytes: limit },
    { remedy: 'fix-setup' },
  )
}
