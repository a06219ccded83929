/** One run of a traced program: on the engine where nothing stops it and nobody lies, else element by element. */
import type { Engine, Execution, TracedProgram } from '@potluck/engine'
import { codeOf } from '@potluck/protocol'
import type { StepTrace } from './StepTrace.ts'
import { evaluateLeaves, type LeafWords, type StateWords, type Tamper, wordTrace } from './wordTrace.ts'

/** Values of the inputs that are no state, by name; rows that are the parts of one tree as an array for each. */
export type RunInputs = Readonly<Record<string, Float32Array | Int32Array | readonly Float32Array[]>>

export const wordsOf = (values: Float32Array | Int32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length)
export const floatsOf = (words: Uint32Array): Float32Array =>
  new Float32Array(words.buffer, words.byteOffset, words.length)

/** Fills and runs a program; false when it stops (E-05, E-12), which is no error here: the referee goes on. */
export function runTraced(execution: Execution, traced: TracedProgram, state: StateWords, inputs: RunInputs): boolean {
  try {
    traced.stateInputs.forEach((name, part) => {
      if (name !== undefined) execution.write(name, floatsOf(state[part] as Uint32Array))
    })
    for (const [name, values] of Object.entries(inputs)) execution.write(name, isRows(values) ? joined(values) : values)
    execution.run()
    return true
  } catch (error) {
    if (codeOf(error) === 'NAN' || codeOf(error) === 'INDEX') return false
    throw error
  }
}

/** The words of every trace leaf, by the referee's own arithmetic. */
export function evaluateTraced(
  traced: TracedProgram,
  state: StateWords,
  inputs: RunInputs,
  tamper: Tamper | undefined,
): LeafWords[] {
  const given = givenWords(traced, inputs)
  return evaluateLeaves(traced.records, state, (leaf) => given(leaf) as LeafWords, tamper)
}

/**
 * The trace of one run.
 *
 * @param next the state after, for a liar that keeps another than the run's own
 */
export async function traceRun(
  engine: Engine,
  traced: TracedProgram,
  state: StateWords,
  inputs: RunInputs,
  { tamper, next }: { readonly tamper?: Tamper | undefined; readonly next?: StateWords | undefined } = {},
): Promise<StepTrace> {
  if (!tamper) {
    const execution = await engine.prepare(traced.program, { keepAll: true })
    if (runTraced(execution, traced, state, inputs)) {
      const given = givenWords(traced, inputs)
      const after = (): StateWords => next ?? traced.stateInputs.map((name) => wordsOf(execution.read(name as string)))
      return wordTrace(traced.records, (leaf) => {
        const id = traced.tensors[leaf] as number
        if (id === -1) return state
        if (id === -2) return after()
        return given(leaf) ?? wordsOf(execution.readTensor(id))
      })
    }
  }
  const leaves = evaluateTraced(traced, state, inputs, tamper)
  return wordTrace(traced.records, (leaf) => leaves[leaf] as LeafWords)
}

/** The words of a trace leaf that is an input; undefined for others. */
function givenWords(traced: TracedProgram, inputs: RunInputs): (leaf: number) => LeafWords | undefined {
  const names = new Map(Object.entries(traced.program.inputs).map(([name, id]) => [id, name]))
  return (leaf) => {
    const values = inputs[names.get(traced.tensors[leaf] as number) ?? '']
    if (values === undefined) return undefined
    return isRows(values) ? values.map(wordsOf) : wordsOf(values)
  }
}

const isRows = (values: RunInputs[string]): values is readonly Float32Array[] => Array.isArray(values)

function joined(rows: readonly Float32Array[]): Float32Array {
  const size = rows[0]?.length ?? 0
  const all = new Float32Array(rows.length * size)
  rows.forEach((row, i) => {
    all.set(row, i * size)
  })
  return all
}
