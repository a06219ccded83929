import { PotluckError } from '@potluck/protocol'
import { type Program, sizeOf, type Tensor, tensorsRead } from '../program/Program.ts'
import { tensorDepth } from '../program/stateRoot.ts'
import type { ElementRecord, Segment } from './ElementRecord.ts'
import { operationRecords } from './operationRecords.ts'
import { statePlaces } from './statePlaces.ts'
import { WrittenSpans } from './WrittenSpans.ts'

/** What an input of a program is, for someone who checks it: a part of the state, or a record of its own. */
export type InputSource =
  | { readonly kind: 'state'; readonly part: number }
  | Exclude<ElementRecord, { kind: 'element' | 'before' | 'after' }>

export type RecordOptions = {
  /** Elements of each part of the state before, in order (D-02). */
  readonly parts: readonly number[]
  /** Every input of the program by name. */
  readonly inputs: Readonly<Record<string, InputSource>>
  /** What the last leaf is: the state after, by the program's carries, or the output of this name, which the last operation writes. */
  readonly result: 'state' | { readonly output: string }
}

export type TraceLayout = {
  /** One for each trace leaf, in the order of D-03. */
  readonly records: readonly ElementRecord[]
  /** What each leaf holds, for people and for whoever reads it from an execution; −1: the state before, −2: the state after. */
  readonly tensors: readonly number[]
  readonly labels: readonly string[]
}

/**
 * The trace leaves of one run of a program and the record of each (D-03, D-08).
 *
 * @throws PotluckError NOT_REFEREED when an operation reads what no single leaf holds, has more than 255 registers, or an index map that no
 * division expresses; UNKNOWN_TENSOR for an input that `inputs` does not name
 */
export function traceLayout(program: Program, { parts, inputs, result }: RecordOptions): TraceLayout {
  const state = statePlaces(parts)
  const spans = new WrittenSpans(program)
  const records: ElementRecord[] = [{ kind: 'before' }]
  const [tensors, labels] = [[-1], ['state before']]
  const leafDepth = (id: number): number => tensorDepth(sizeOf(program.tensors[id]!))
  const partOf = new Map<number, number>()
  for (const [name, id] of Object.entries(program.inputs).toSorted(([, a], [, b]) => a - b)) {
    const source = inputs[name]
    if (!source)
      throw new PotluckError('UNKNOWN_TENSOR', `nobody says what input ${name} is: name it in inputs`, { name })
    if (source.kind === 'state') {
      checkSize(name, sizeOf(program.tensors[id]!), parts[source.part])
      partOf.set(id, source.part)
      spans.write(id, { leaf: 0, depth: state.depth, offset: state.start(source.part) })
      continue
    }
    const leaf = records.length
    spans.write(
      id,
      source.kind === 'updates' ? rowsAsParts(leaf, program.tensors[id]!) : { leaf, depth: leafDepth(id), offset: 0 },
    )
    records.push(source)
    tensors.push(id)
    labels.push(`input ${name}`)
  }
  for (const operation of program.operations) {
    const find = (tensor: number) => spans.find(tensor, `${operation.kind} ${operation.label}`)
    tensorsRead(operation).forEach(find)
    const made = operationRecords(operation, find)
    for (const [i, record] of made.entries()) {
      if (record.instructions.length > 255) refuseLength(operation.label, record.instructions.length)
      const id = operation.outputs[i]!
      spans.write(id, { leaf: records.length, depth: leafDepth(id), offset: 0 })
      records.push(record)
      tensors.push(id)
      labels.push(`${operation.label} (${operation.kind}${made.length > 1 ? `, output ${i + 1}` : ''})`)
    }
  }
  if (result !== 'state') {
    if (program.outputs[result.output] !== tensors.at(-1)) {
      const message = `output ${result.output} must be what the last operation writes: end the program with it`
      throw new PotluckError('NOT_REFEREED', message, { output: result.output })
    }
    return { records, tensors, labels }
  }
  const next = new Map(program.carries.map(({ from, to }) => [partOf.get(to), from]))
  const own = new Map([...partOf].map(([id, part]) => [part, id]))
  const segments: Segment[] = parts.flatMap((size, part) => {
    const start = state.start(part)
    const from = next.get(part) ?? own.get(part)
    // A part that the program never reads stays as it is.
    if (from === undefined) return [{ start, length: size, leaf: 0, depth: state.depth, offset: start }]
    return spans.spansOf(from, `the next part ${part}`).map(({ from: at, to, place }) => ({
      start: start + at,
      length: to - at,
      ...place,
    }))
  })
  records.push({ kind: 'after', partDepth: state.partDepth, segments })
  tensors.push(-2)
  labels.push('state after')
  return { records, tensors, labels }
}

/** A matrix whose rows are the parts of one tree (D-02). */
function rowsAsParts(leaf: number, { shape: [rows = 0, columns = 0] }: Tensor) {
  const { depth, start } = statePlaces(new Array<number>(rows).fill(columns))
  return { leaf, depth, offset: 0, rows: { columns, places: start(1) } }
}

/** The records of `traceLayout` alone. */
export const elementRecords = (program: Program, options: RecordOptions): readonly ElementRecord[] =>
  traceLayout(program, options).records

function checkSize(name: string, size: number, part: number | undefined): void {
  if (size !== part)
    throw new PotluckError('SHAPE', `input ${name} has ${size} elements, its part of the state has ${part}`, { name })
}

function refuseLength(label: string, length: number): never {
  const message = `${label}: its scalar program has ${length} registers, a judge runs at most 255: split it`
  throw new PotluckError('NOT_REFEREED', message, { label, length })
}
