import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PotluckError } from '@potluck/protocol'

/** Where the parts of a run lie, below its folder. */
export const layoutOfRun = (out: string) => ({
  checkpoint: join(out, 'checkpoint.safetensors'),
  log: join(out, 'log.jsonl'),
  in: (name: string): string => join(out, name),
})
export type RunLayout = ReturnType<typeof layoutOfRun>

/**
 * Makes the folder of a run.
 *
 * @throws PotluckError RUN_EXISTS when it holds a run that would be lost; CANNOT_WRITE
 */
export function openRunFolder(out: string, choice: { resume: boolean; overwrite: boolean }): RunLayout {
  const layout = layoutOfRun(out)
  if (!choice.resume && !choice.overwrite && existsSync(layout.checkpoint)) {
    const message = `${out} holds a run already: go on with it by --resume, start anew by --overwrite, or name another folder with --out`
    throw new PotluckError('RUN_EXISTS', message, { folder: out })
  }
  try {
    mkdirSync(out, { recursive: true })
  } catch (cause) {
    const message = `cannot make the folder ${out}: ${(cause as Error).message}; name another with --out`
    throw new PotluckError('CANNOT_WRITE', message, { folder: out }, { cause, remedy: 'fix-setup' })
  }
  return layout
}
