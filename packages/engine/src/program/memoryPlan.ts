import { type Program, sizeOf, tensorsRead } from './Program.ts'

export type MemoryPlan = {
  /** Byte address of each tensor, a multiple of 16 unless it is a view. */
  readonly addresses: readonly number[]
  /** Highest address in use, in bytes. */
  readonly peakBytes: number
}

/**
 * Places the tensors of a program in one memory. Inputs, outputs and carried tensors keep their place; the others
 * share: a place is free again after the last operation that reads it. First fit, in order of first use.
 */
export function planMemory(program: Program, from: number): MemoryPlan {
  const baseOf = (id: number): number => program.tensors[id]!.view?.base ?? id
  const kept = new Set(
    [
      ...Object.values(program.inputs),
      ...Object.values(program.outputs),
      ...program.carries.flatMap((carry) => [carry.from, carry.to]),
    ].map(baseOf),
  )
  const lastUse = new Map<number, number>()
  program.operations.forEach((operation, at) => {
    for (const id of [...tensorsRead(operation), ...operation.outputs]) lastUse.set(baseOf(id), at)
  })
  const places: { start: number; end: number; freeAfter: number }[] = []
  const starts = new Map<number, number>()
  const place = (id: number, at: number): void => {
    if (starts.has(id)) return
    const bytes = Math.ceil(sizeOf(program.tensors[id]!) / 4) * 16
    const taken = places.filter((item) => item.freeAfter >= at).sort((a, b) => a.start - b.start)
    let start = from
    for (const item of taken) {
      if (start + bytes <= item.start) break
      start = Math.max(start, item.end)
    }
    starts.set(id, start)
    places.push({
      start,
      end: start + bytes,
      freeAfter: kept.has(id) ? Number.POSITIVE_INFINITY : (lastUse.get(id) ?? at),
    })
  }
  for (const id of kept) place(id, 0)
  program.operations.forEach((operation, at) => {
    for (const id of [...tensorsRead(operation), ...operation.outputs]) place(baseOf(id), at)
  })
  return {
    addresses: program.tensors.map(
      (tensor) => (starts.get(tensor.view?.base ?? tensor.id) ?? from) + 4 * (tensor.view?.offset ?? 0),
    ),
    peakBytes: places.reduce((peak, item) => Math.max(peak, item.end), from),
  }
}
