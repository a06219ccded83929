import type { LedgerDeployment } from '../chain/LedgerChain.ts'
import type { Queryable } from '../database/rows.ts'
import { type Money, moneyOf } from '../money/Money.ts'
import { Records } from './Records.ts'
import { type Step, step } from './Step.ts'

/** What every explanation needs at hand. `most` bounds the facts told under one; `deepest` how far a line of descent is followed. */
export type Teller = {
  records: Records
  database: Queryable
  money: Money
  contracts: { jobs: string; channels: string; salt: string }
  most: number
  deepest: number
}

export function createTeller(
  database: Queryable,
  deployment: LedgerDeployment,
  limits: { most: number; deepest: number },
): Teller {
  const { jobs, channels, salt } = deployment.contracts
  const contracts = { jobs: jobs.toLowerCase(), channels: channels.toLowerCase(), salt: salt.toLowerCase() }
  return { records: new Records(database), database, money: moneyOf(deployment), contracts, ...limits }
}

/** The first `most` things with an amount, told one by one; the rest as one step with their sum. Amounts of 0 are left out. */
export async function tellAll<T>(
  teller: Teller,
  what: { id: string; token: string; name: string },
  things: readonly { thing: T; amount: bigint }[],
  tell: (thing: T, amount: bigint) => Promise<Step>,
): Promise<Step[]> {
  const paying = things.filter(({ amount }) => amount !== 0n)
  const told: Step[] = []
  for (const { thing, amount } of paying.slice(0, teller.most)) told.push(await tell(thing, amount))
  const rest = paying.slice(teller.most)
  if (rest.length === 0) return told
  const amount = rest.reduce((sum, one) => sum + one.amount, 0n)
  const text = `${rest.length} more ${what.name} bring ${teller.money.text(amount, what.token)}.`
  return [...told, step({ id: `${what.id}/more`, kind: 'more', amount, token: what.token, text })]
}
