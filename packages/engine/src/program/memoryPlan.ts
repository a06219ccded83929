import { carriesInPlace } from './carriesInPlace.ts'
import { FreePlaces } from './FreePlaces.ts'
import { type Operation, type Program, sizeOf, tensorsRead } from './Program.ts'
import { writesOver } from './writesOver.ts'

export type MemoryPlan = {
  /** Byte address of each tensor, a multiple of 16 unless it is a view. */
  readonly addresses: readonly number[]
  /** Highest address in use, in bytes. */
  readonly peakBytes: number
}

/**
 * Places the tensors of a program in one memory. Inputs, outputs and carried tensors keep their place, some carried
 * ones that of the input they replace (`carriesInPlace`); the others share: a place is free again after the last
 * operation that reads it. First fit, in order of first use. A map may also write over what it reads for the last time
 * (`writesOver`); as that can break up the gaps, the plan is made with and without, and the smaller one taken. With
 * `keepAll` no tensors share.
 *
 * Cost: for each tensor a look at the gaps, of which there are few.
 */
export function planMemory(program: Program, from: number, keepAll = false): MemoryPlan {
  const uses = usesOf(program)
  if (keepAll)
    return placeTensors(program, from, { ...uses, kept: new Set([...uses.kept, ...uses.touched.flat()]) }, false)
  const shared = { ...uses, inPlace: carriesInPlace(program) }
  const [plain, over] = [false, true].map((isOver) => placeTensors(program, from, shared, isOver)) as [
    MemoryPlan,
    MemoryPlan,
  ]
  return over.peakBytes < plain.peakBytes ? over : plain
}

type Uses = {
  /** Tensors that are no views, by operation: what it reads, then what it writes. */
  readonly touched: readonly (readonly number[])[]
  /** The last operation that touches a tensor. */
  readonly lastUse: ReadonlyMap<number, number>
  /** Tensors with a place of their own throughout, and those of them that lie where an input lies. */
  readonly kept: ReadonlySet<number>
  readonly inPlace: ReadonlyMap<number, number>
}

function usesOf({ tensors, operations, inputs, outputs, carries }: Program): Uses {
  const baseOf = (id: number): number => tensors[id]!.view?.base ?? id
  const touched = operations.map((operation) => [...tensorsRead(operation), ...operation.outputs].map(baseOf))
  const lastUse = new Map<number, number>()
  for (const [at, ids] of touched.entries()) for (const id of ids) lastUse.set(id, at)
  const named = [...Object.values(inputs), ...Object.values(outputs), ...carries.flatMap(({ from, to }) => [from, to])]
  return { touched, lastUse, kept: new Set(named.map(baseOf)), inPlace: new Map() }
}

function placeTensors(program: Program, from: number, uses: Uses, writesOverEnds: boolean): MemoryPlan {
  const { tensors, operations } = program
  const { touched, lastUse, kept, inPlace } = uses
  const places = new FreePlaces(from)
  const starts = new Map<number, number>()
  const bytesOf = (id: number): number => Math.ceil(sizeOf(tensors[id]!) / 4) * 16
  const place = (id: number): void => {
    if (!starts.has(id)) starts.set(id, places.take(bytesOf(id)))
  }
  for (const id of kept) if (!inPlace.has(id) && !tensors[id]!.view) place(id)
  for (const [source, input] of inPlace) starts.set(source, starts.get(input)!)
  for (const [at, ids] of touched.entries()) {
    const ends = new Set(ids.filter((id) => lastUse.get(id) === at && !kept.has(id)))
    const operation = operations[at]!
    if (writesOverEnds) {
      for (const [output, heir] of operation.outputs.entries()) {
        if (tensors[heir]!.view || starts.has(heir)) continue
        const end = [...ends].find((id) => bytesOf(id) === bytesOf(heir) && canHold(program, operation, output, id))
        if (end === undefined) continue
        starts.set(heir, starts.get(end)!)
        ends.delete(end)
      }
    }
    for (const id of ids) place(id)
    for (const id of ends) places.give(starts.get(id)!, bytesOf(id))
  }
  return {
    addresses: tensors.map(({ id, view }) => (starts.get(view?.base ?? id) ?? from) + 4 * (view?.offset ?? 0)),
    peakBytes: places.end,
  }
}

/** Whether output number `output` can lie on tensor `id`, of which the operation reads all, under no other name. */
function canHold({ tensors }: Program, operation: Operation, output: number, id: number): boolean {
  if (operation.kind !== 'map') return false
  const isAlias = (other: number): boolean => other !== id && tensors[other]!.view?.base === id
  const isWritten = operation.outputs.some((written) => written === id || isAlias(written))
  return !isWritten && !tensorsRead(operation).some(isAlias) && writesOver(operation, output, id)
}
