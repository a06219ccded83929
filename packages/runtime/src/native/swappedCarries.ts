import type { Program } from '@potluck/engine'

type Carry = { readonly from: number; readonly to: number }

/**
 * Which carries need no copy: two whole tensors that belong to one carry only can change places after a run instead.
 * The others are copied.
 */
export function swappedCarries(program: Program): { swapped: Carry[]; copied: Carry[] } {
  const uses = new Map<number, number>()
  const baseOf = (id: number): number => program.tensors[id]!.view?.base ?? id
  for (const { from, to } of program.carries) {
    for (const id of [from, to]) uses.set(baseOf(id), (uses.get(baseOf(id)) ?? 0) + 1)
  }
  const inputs = new Set(Object.values(program.inputs).map(baseOf))
  const isSwapped = ({ from, to }: Carry): boolean =>
    [from, to].every((id) => !program.tensors[id]!.view && uses.get(id) === 1) && !inputs.has(from) && inputs.has(to)
  const swapped = program.carries.filter(isSwapped)
  return { swapped, copied: program.carries.filter((carry) => !swapped.includes(carry)) }
}
