import { type Hex, PotluckError, sha256, toHex } from '@potluck/protocol'
import { sizeOfLayout } from '../model/layoutOf.ts'
import type { StatePart } from './updatePlan.ts'

/** Everything a training needs to go on to the same bits: a plain object of names, numbers and arrays. */
export type Checkpoint = {
  readonly version: 1
  /** Root of the program of one step: another config, batch or optimiser is another program. */
  readonly programRoot: Hex
  /** SHA-256 of the training's seed. */
  readonly seedHash: Hex
  /** Steps done. */
  readonly step: number
  /** `parameters`, then the optimiser's tensors, by name. */
  readonly state: Readonly<Record<string, Float32Array>>
  /** The best state so far by validation loss. */
  readonly best: BestState | null
}

export type BestState = { readonly step: number; readonly loss: number; readonly parameters: Float32Array }

export const seedHashOf = (seed: Uint8Array): Hex => toHex(sha256(seed))

/**
 * Throws CHECKPOINT_MISMATCH when a checkpoint belongs to another program or seed, is of another version, has not the
 * tensors of the state or has already done all steps.
 */
export function checkCheckpoint(
  checkpoint: Checkpoint,
  expected: Pick<Checkpoint, 'programRoot' | 'seedHash'>,
  parts: readonly StatePart[],
  steps: number,
): void {
  const refuse = (what: string, seen: unknown, wanted: unknown): never => {
    throw new PotluckError(
      'CHECKPOINT_MISMATCH',
      `the checkpoint has ${what} ${seen}, this training ${wanted}: resume with the options it was made with`,
      { what },
    )
  }
  if (checkpoint.version !== 1) refuse('version', checkpoint.version, 1)
  for (const what of ['programRoot', 'seedHash'] as const) {
    if (checkpoint[what] !== expected[what]) refuse(what, checkpoint[what], expected[what])
  }
  for (const { name, layout } of parts) {
    const size = checkpoint.state[name]?.length
    if (size !== sizeOfLayout(layout)) refuse(`${name} of size`, size, sizeOfLayout(layout))
  }
  const { step } = checkpoint
  if (!Number.isSafeInteger(step) || step < 0 || step >= steps) refuse('step', step, `${steps} steps in all`)
}
