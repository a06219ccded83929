import { type Operation, type Program, sizeOf, type Tensor, tensorsRead } from './Program.ts'
import { writesOver } from './writesOver.ts'

/**
 * The carried tensors that can lie where the input they replace lies (E-29), as source → input: every element of the
 * input is read for the last time by the operation that writes its successor, or before.
 *
 * An operation that writes over an element it reads must be a map that may (`writesOver`), at the same offset.
 *
 * A source that is an output, too, keeps a place of its own: it must stay readable when its input is filled again.
 */
export function carriesInPlace(program: Program): ReadonlyMap<number, number> {
  const { tensors, operations, inputs, outputs, carries } = program
  const baseOf = (id: number): number => tensors[id]!.view?.base ?? id
  const named = new Set(Object.values(outputs).map(baseOf))
  const names = count(Object.values(inputs))
  const [sources, targets] = [count(carries.map(({ from }) => from)), count(carries.map(({ to }) => to))]
  const found = new Map<number, number>()
  for (const { from, to } of carries) {
    const isPlain = !tensors[from]!.view && !tensors[to]!.view && tensors[from]!.type === tensors[to]!.type
    const isAlone = sources.get(from) === 1 && targets.get(to) === 1 && names.get(to) === 1 && !names.has(from)
    const isHidden = !named.has(from) && !named.has(to) && !sources.has(to)
    if (isPlain && isAlone && isHidden) found.set(from, to)
  }
  const touching = operationsByBase(program, baseOf, new Set([...found.keys(), ...found.values()]))
  for (const [from, to] of found) {
    const places = new Set([...(touching.get(from) ?? []), ...(touching.get(to) ?? [])])
    const inOrder = [...places].sort((p, q) => p - q).map((place) => operations[place]!)
    if (!canShare(inOrder, tensors, from, to)) found.delete(from)
  }
  return found
}

const count = (ids: readonly number[]): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

function operationsByBase(
  program: Program,
  baseOf: (id: number) => number,
  wanted: ReadonlySet<number>,
): ReadonlyMap<number, number[]> {
  const touching = new Map<number, number[]>()
  program.operations.forEach((operation, at) => {
    for (const id of [...tensorsRead(operation), ...operation.outputs]) {
      const base = baseOf(id)
      if (!wanted.has(base)) continue
      const list = touching.get(base)
      if (list) list.push(at)
      else touching.set(base, [at])
    }
  })
  return touching
}

type Stretch = { readonly start: number; readonly end: number }

/** Goes through the operations that touch either tensor, in order; false at the first that reads what is written over. */
function canShare(operations: readonly Operation[], tensors: readonly Tensor[], from: number, to: number): boolean {
  const written: Stretch[] = []
  const stretchOf = (tensor: Tensor): Stretch => {
    const start = tensor.view?.offset ?? 0
    return { start, end: start + sizeOf(tensor) }
  }
  const of = (id: number, base: number): Tensor | null => {
    const tensor = tensors[id]!
    return (tensor.view?.base ?? id) === base ? tensor : null
  }
  for (const operation of operations) {
    const reads = tensorsRead(operation).flatMap((id) => of(id, to) ?? [])
    if (reads.some((tensor) => written.some((stretch) => overlap(stretch, stretchOf(tensor))))) return false
    for (const [place, id] of operation.outputs.entries()) {
      const output = of(id, from)
      if (!output) continue
      const stretch = stretchOf(output)
      for (const tensor of reads) {
        const read = stretchOf(tensor)
        if (!overlap(stretch, read)) continue
        if (operation.kind !== 'map' || read.start !== stretch.start || read.end !== stretch.end) return false
        if (!writesOver(operation, place, tensor.id)) return false
      }
      written.push(stretch)
    }
  }
  return true
}

const overlap = (a: Stretch, b: Stretch): boolean => a.start < b.end && b.start < a.end
