import type { Engine } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { lazyProgram } from '../faults/lazyProgram.ts'
import { twistingProgram } from '../faults/twistingProgram.ts'
import type { Ports } from '../Ports.ts'
import type { ProgramOf } from '../Role.ts'
import type { JobProgram } from './JobProgram.ts'
import { languageProgram } from './languageProgram.ts'
import { tabularProgram } from './tabularProgram.ts'

/** The largest state that fits one block: a state on chain is the digest of one raw block (docs/limits.md). */
const MAX_STATE_BYTES = 1_048_576

export type ProgramOptions = {
  engine: () => Promise<Engine>
  /** Awaited between training steps. */
  pause: () => Promise<void>
  /** What this node does wrong, in drills: as a worker, or as a validator. */
  fault?: 'none' | 'lazy' | 'twisting'
}

/** Makes the program of any kind of job from its document, fetching the public data it needs. */
export function createPrograms(ports: Pick<Ports, 'fetchFile'>, options: ProgramOptions): ProgramOf {
  return async (job, document, facts, { sources }): Promise<JobProgram> => {
    if (document.kind === 'tabular') return tabularProgram(job, document, [...facts.workers])
    const read = async (cid: string): Promise<string> => new TextDecoder().decode(await ports.fetchFile(cid, sources()))
    const text = await read(document.trainCid)
    // By workers too: nobody begins a round whose result the validators could not report.
    const validText = document.scoreWindows === undefined ? '' : await read(document.validCid)
    const engine = await options.engine()
    const honest = languageProgram(engine, document, text, options.pause, validText)
    if (options.fault === 'twisting') return twistingProgram(engine, honest)
    if (options.fault !== 'lazy') return honest
    const { recipe } = document
    const steps = Math.max(1, Math.floor(recipe.steps / 4))
    const shortened = languageProgram(
      engine,
      { ...document, recipe: { ...recipe, steps } },
      text,
      options.pause,
      validText,
    )
    return lazyProgram(engine, honest, shortened, Math.ceil(recipe.steps / recipe.stateEverySteps))
  }
}

/** Throws STATE_TOO_LARGE for a model whose state does not fit one block. */
export function checkStateSize(sizeBytes: number): void {
  if (sizeBytes <= MAX_STATE_BYTES) return
  throw new PotluckError(
    'STATE_TOO_LARGE',
    `the model has ${sizeBytes} bytes, a state may have ${MAX_STATE_BYTES}: choose a smaller width, fewer layers or a smaller vocabulary`,
    { sizeBytes, maxBytes: MAX_STATE_BYTES },
  )
}
