import { merkleRoot, PotluckError } from '@potluck/protocol'
import { type Program, sizeOf } from '../program/Program.ts'
import { tensorDepth, tensorRoot } from '../program/stateRoot.ts'
import { type InputSource, type TraceLayout, traceLayout } from './elementRecords.ts'
import { encodeRecord, wordBytes } from './encodeRecord.ts'
import { statePlaces } from './statePlaces.ts'

/** A program with the layout of the trace of one run of it. */
export type TracedProgram = TraceLayout & {
  readonly program: Program
  /** Inputs of the program that are parts of the state before, by part. */
  readonly stateInputs: readonly (string | undefined)[]
}

/** All that is agreed on before a job starts, so that any step of any claim can be judged. */
export type ExactJob = {
  /** Steps of a share (S). */
  readonly steps: number
  readonly stateEverySteps: number
  readonly units: number
  readonly shares: number
  /** Elements of each part of the state; the first is the model. */
  readonly parts: readonly number[]
  readonly step: TracedProgram
  /** Makes the claimed update, its last trace leaf, from the base and the last state. */
  readonly finish: TracedProgram
  /** Makes the next state, its last trace leaf, from the base, the reference update and the updates that take part. */
  readonly aggregate: TracedProgram
  /** What stands under the program root: header, records of the step, of the finish, of the aggregation (D-06). */
  readonly leaves: readonly Uint8Array[]
  /** The program root that a job pins. */
  readonly root: Uint8Array
  /** Inputs of a step that are no state, by name; `seed` is that of the claim's task. */
  readonly feed: (step: number, seed: Uint8Array) => Readonly<Record<string, Float32Array | Int32Array>>
  /** Bytes of the text that kind 3 records read. */
  readonly text: Uint8Array
  /** Tensor roots of a schedule's steps, for kind 5 records, by the input's name. */
  readonly schedules: Readonly<Record<string, readonly Uint8Array[]>>
}

export type JobParts = Pick<
  ExactJob,
  'steps' | 'stateEverySteps' | 'units' | 'shares' | 'feed' | 'text' | 'schedules'
> & {
  readonly program: Program
  /** Names of the step's inputs that are the parts of the state, the model first; all of one size. */
  readonly state: readonly string[]
  /** What every other input of the step is. */
  readonly inputs: Readonly<Record<string, InputSource>>
  /** Inputs `base` and the model's name; its last operation writes output `update`. */
  readonly finish: Program
  /** Inputs `base` [P], `reference` [P] and `updates` [shares, P]; its last operation writes output `next`. */
  readonly aggregate: Program
  /** 32 bytes that the seeds of all tasks follow from. */
  readonly jobSeed: Uint8Array
}

const MAGIC = 0x504c4b31
const OPERATOR_SET = 1
/** A champion reveals the state after each step of a range in one move (D-12). */
const MOST_STEPS_PER_STATE = 64

/**
 * Compiles a job to the leaves of its program root (D-06, D-07).
 *
 * @throws PotluckError NOT_REFEREED names what the referee cannot judge; SHAPE when the parts differ in size
 */
export function exactJob(given: JobParts): ExactJob {
  const { program, finish, aggregate, state, inputs, jobSeed, steps, stateEverySteps, units, shares } = given
  if (Math.min(stateEverySteps, steps) > MOST_STEPS_PER_STATE) {
    const message = `stateEverySteps is ${stateEverySteps}: a referee needs a state at least every ${MOST_STEPS_PER_STATE} steps`
    throw new PotluckError('NOT_REFEREED', message, { stateEverySteps })
  }
  const parts = state.map((name) => sizeOf(program.tensors[program.inputs[name] ?? -1] ?? missing(name)))
  if (parts.some((size) => size !== parts[0]))
    throw new PotluckError('SHAPE', `the parts of the state must be of one size, got ${parts.join(', ')}`)
  const sources: Record<string, InputSource> = { ...inputs }
  state.forEach((name, part) => {
    sources[name] = { kind: 'state', part }
  })
  const step = traceLayout(program, { parts, inputs: sources, result: 'state' })
  const finishInputs: Record<string, InputSource> = { base: { kind: 'base' }, [state[0]!]: { kind: 'state', part: 0 } }
  const last = traceLayout(finish, { parts, inputs: finishInputs, result: { output: 'update' } })
  const size = parts[0]!
  checkAggregate(aggregate, shares, size)
  const next = traceLayout(aggregate, {
    parts: [size],
    inputs: { base: { kind: 'state', part: 0 }, reference: { kind: 'reference' }, updates: { kind: 'updates' } },
    result: { output: 'next' },
  })
  const records = [...step.records, ...last.records, ...next.records].map(encodeRecord)
  const header = wordBytes([
    MAGIC,
    records.length + 1,
    OPERATOR_SET,
    steps,
    stateEverySteps,
    Math.floor(units / 0x100000000),
    units % 0x100000000,
    shares,
    parts.length,
    statePlaces(parts).partDepth,
    1,
    step.records.length,
    1 + step.records.length,
    last.records.length,
    1 + step.records.length + last.records.length,
    next.records.length,
    jobSeed,
    tensorRoot(new Float32Array(size)),
  ])
  const leaves = [header, ...records]
  const { feed, text, schedules } = given
  return {
    steps,
    stateEverySteps,
    units,
    shares,
    parts,
    step: { ...step, program, stateInputs: state },
    finish: { ...last, program: finish, stateInputs: state.slice(0, 1) },
    aggregate: { ...next, program: aggregate, stateInputs: ['base'] },
    leaves,
    root: merkleRoot(leaves),
    feed,
    text,
    schedules,
  }
}

/** The record of an input that is the same in every step. */
export const fixedInput = (values: Float32Array | Int32Array): InputSource => ({
  kind: 'fixed',
  root: tensorRoot(values),
})

/** Levels of the tree over so many steps' tensors and over a text, for kinds 5 and 3. */
export const textDepth = (bytes: number): number => tensorDepth(Math.ceil(bytes / 4))

function checkAggregate({ tensors, inputs }: Program, shares: number, size: number): void {
  const shape = tensors[inputs.updates ?? -1]?.shape ?? []
  if (shape[0] === shares && shape[1] === size) return
  const message = `the aggregation takes updates [${shape.join(', ')}], the job has [${shares}, ${size}]: one row for each share`
  throw new PotluckError('SHAPE', message, { shares, size })
}

function missing(name: string): never {
  throw new PotluckError('UNKNOWN_TENSOR', `the step has no input ${name} that could be a part of the state`, { name })
}
