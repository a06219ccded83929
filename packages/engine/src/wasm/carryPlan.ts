import type { Program } from '../program/Program.ts'

type Carry = { readonly from: number; readonly to: number }

export type CarryPlan = {
  /** Two tensors of equal size that trade places after each run, instead of a copy. */
  readonly trades: readonly Carry[]
  /** Carries that are copied, in order. */
  readonly copies: readonly Carry[]
  /** Address of a tensor or of a view of one, before or after such a trade. */
  addressOf(id: number, addresses: readonly number[], isTurned: boolean): number
}

/** Which carries may trade places: neither side is a view, and no other carry and no second name touches them. */
export function planCarries(program: Program): CarryPlan {
  const baseOf = (id: number): number => program.tensors[id]!.view?.base ?? id
  const uses = new Map<number, number>()
  const inputs = Object.values(program.inputs)
  for (const id of [...program.carries.flatMap(({ from, to }) => [from, to]), ...inputs].map(baseOf))
    uses.set(id, (uses.get(id) ?? 0) + 1)
  // The target is counted twice, as a carry and as an input; the source once.
  const isTrade = ({ from, to }: Carry): boolean =>
    baseOf(from) === from && baseOf(to) === to && uses.get(from) === 1 && uses.get(to) === 2
  const trades = program.carries.filter(isTrade)
  const partner = new Map(trades.flatMap(({ from, to }) => [[from, to] as const, [to, from] as const]))
  return {
    trades,
    copies: program.carries.filter((carry) => !isTrade(carry)),
    addressOf(id, addresses, isTurned) {
      const base = baseOf(id)
      const moved = isTurned ? (partner.get(base) ?? base) : base
      return addresses[moved]! + addresses[id]! - addresses[base]!
    },
  }
}
