import type { Hex } from '@potluck/protocol'

/** Where a statement can be checked: transaction and block on the chain, document by its digest, and the ids it speaks of. */
export type Refs = {
  tx?: Hex
  block?: number
  document?: Hex
  version?: number
  asset?: number
  job?: number
  /** As on chain, from 0; words and subjects count from 1. */
  round?: number
  account?: Hex
  channel?: Hex
  lane?: number
  requestHash?: Hex
}

/** One fact in an explanation. Siblings under `because` that carry an amount add up to what of the parent they explain. */
export type Step = {
  /** The same fact has the same id in every explanation. */
  id: string
  kind: string
  /** Token units that belong to this explanation; null when the fact is not about money. */
  amount: string | null
  token: Hex | null
  /** One plain sentence. */
  text: string
  refs: Refs
  /** Where it comes from. */
  because: Step[]
  /** What became of it. */
  leadsTo: Step[]
}

type Fact = {
  id: string
  kind: string
  text: string
  amount?: bigint
  token?: string
  refs?: Refs
  because?: Step[]
  leadsTo?: Step[]
}

export function step({ id, kind, text, amount, token, refs = {}, because = [], leadsTo = [] }: Fact): Step {
  const money = amount === undefined ? null : amount.toString()
  return { id, kind, amount: money, token: (token as Hex | undefined) ?? null, text, refs, because, leadsTo }
}

/** 0x1234…abcd: enough to recognise, the whole stands in `refs`. */
export const short = (hex: string): string => (hex.length > 13 ? `${hex.slice(0, 6)}…${hex.slice(-4)}` : hex)

/** A round as people count them: the chain's round 0 is the first. */
export const nth = (round: number): number => round + 1

/** UTC, to the second. */
export const moment = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
