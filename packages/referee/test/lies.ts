import type { ElementRecord, ExactJob } from '@potluck/engine'
import { type Lie, replacedWords, type Tamper, writtenElement, wrongElement } from '../src/index.ts'

export const NAN_WORD = 0x7fc00000

/** A random number generator for tests: the same seed, the same lies. */
export type Draw = (limit: number) => number

export const liesOf = ['wrong element', 'wrong last term', 'wrong first term', 'false halt', 'forged leaf'] as const
export const inputLies = [
  'wrong batch',
  'wrong random numbers',
  'wrong constant',
  'wrong schedule',
  'stale base',
] as const
export const stateLies = [
  'skipped step',
  'wrong state',
  'beyond the state',
  'wrong update',
  'wrong base in the update',
] as const

const kindsOf = {
  'wrong batch': 'tokens',
  'wrong random numbers': 'uniform',
  'wrong constant': 'fixed',
  'wrong schedule': 'schedule',
} as const

/** A lie about one operator's output: which element, and how its sum is bent. */
export function operatorLie(name: (typeof liesOf)[number], job: ExactJob, leaf: number, draw: Draw): Lie {
  const record = job.step.records[leaf] as ElementRecord
  const size = record.kind === 'element' ? record.size : 1
  const [step, index] = [draw(job.steps), draw(size)]
  const flip = draw(2) === 0 ? 1 : 1 << 18
  const tamper = name === 'false halt' ? writtenElement(leaf, index, NAN_WORD) : wrongElement(leaf, index, flip)
  const wrongFrom =
    name === 'wrong first term' ? () => 0 : name === 'wrong element' ? (terms: number) => draw(terms) : undefined
  return { name, step, leaf, tamper, flip, ...(wrongFrom && { wrongFrom }), isForged: name === 'forged leaf' }
}

/** A lie about what a step starts from. Undefined when the job has no such input. */
export function inputLie(name: (typeof inputLies)[number], job: ExactJob, draw: Draw): Lie | undefined {
  const step = draw(job.steps)
  if (name === 'stale base') return { name, step, leaf: 0, tamper: wrongElement(0, draw(1000), 1 << 20) }
  const leaf = job.step.records.findIndex(({ kind }) => kind === kindsOf[name])
  if (leaf < 0) return undefined
  const index = draw(1000)
  if (name === 'wrong random numbers') return { name, step, leaf, tamper: writtenElement(leaf, index, 0) }
  // Tokens must stay in the alphabet, numbers must change by more than rounding swallows.
  return { name, step, leaf, tamper: wrongElement(leaf, index, name === 'wrong batch' ? 1 : 1 << 20) }
}

export function stateLie(name: (typeof stateLies)[number], job: ExactJob, draw: Draw): Lie {
  const last = job.step.records.length - 1
  const step = draw(job.steps)
  switch (name) {
    case 'skipped step':
      return { name, step, leaf: last, tamper: keptState(last) }
    case 'wrong state':
      return { name, step, leaf: last, tamper: wrongElement(last, draw(100_000)) }
    case 'beyond the state':
      return { name, step, leaf: last, tamper: wrongElement(last, draw(100_000)), isForged: true }
    case 'wrong update':
      return { name, step: job.steps, leaf: 2, tamper: wrongElement(2, draw(100_000)) }
    case 'wrong base in the update':
      return { name, step: job.steps, leaf: 1, tamper: wrongElement(1, draw(100_000)) }
  }
}

/** The state after is the state before. */
function keptState(last: number): Tamper {
  let before: readonly Uint32Array[] = []
  return (leaf, words) => {
    if (words instanceof Uint32Array) return
    if (leaf === 0) before = words.map((part) => part.slice())
    if (leaf !== last) return
    for (const [i, part] of words.entries()) part.set(before[i] as Uint32Array)
  }
}

/** Every NaN of a leaf, and of all after it, becomes a number. */
export const hiddenHalt = (step: number, leaf: number): Lie => ({
  name: 'hidden halt',
  step,
  leaf,
  tamper: replacedWords(leaf, NAN_WORD, 0x3f800000),
})
