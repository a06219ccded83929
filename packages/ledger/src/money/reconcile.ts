/**
 * The books of every contract, to the unit (R-40 …): what came in is what went out, what is owed and what rounding left; and that the
 * contract really holds the last two is asked of the token itself, at the same block.
 */
import type { Hex } from '@potluck/protocol'
import type { Pool } from 'pg'
import { z } from 'zod'
import type { LedgerChain } from '../chain/LedgerChain.ts'
import { amount, count, hex } from '../database/columns.ts'
import { inTransaction } from '../database/inTransaction.ts'
import { firstRow, type Queryable, rows } from '../database/rows.ts'
import { assetsPosition } from './assetsPosition.ts'
import type { Money } from './Money.ts'

type Sides = {
  /** From outside. */
  paidIn: bigint
  /** From another contract of this system. */
  received: bigint
  /** To another contract of this system. */
  passedOn: bigint
  withdrawn: bigint
  owed: bigint
  dust: bigint
}
type Judged = Sides & {
  /** The token's own word; null when the endpoint no longer knows that block. */
  held: bigint | null
  /** Sent to the contract without a call: nobody's. */
  surplus: bigint | null
  balanced: boolean
}
export type ContractBooks = Judged & {
  contract: 'assets' | 'channels' | 'jobs' | 'registry'
  parts: Record<string, bigint>
}
export type TokenBooks = Judged & { token: Hex; symbol: string; decimals: number; contracts: ContractBooks[] }
export type Reconciliation = {
  /** Everything below is as of the end of this block. */
  block: number
  balanced: boolean
  tokens: TokenBooks[]
}

type OwnBooks = Sides & { contract: ContractBooks['contract']; parts: Record<string, bigint> }

type Snapshot = { block: number; books: { token: Hex; own: OwnBooks[] }[]; lastMove: number }
type Held = ReadonlyMap<string, bigint | null>

const TRIES = 6

/**
 * Catches up, adds everything up from the events and asks the chain for each balance at the same block.
 *
 * An endpoint that keeps no old states can only be asked about its newest block: that counts when no money moved between it and
 * the books. A block may arrive in between, so what does not fit is looked at again before it is reported; when no answer ever fits a
 * block, `held` is null and the equation stands alone. Cost: linear in versions and in distinct tokens.
 */
export async function reconcile(
  pool: Pool,
  chain: LedgerChain,
  money: Money,
  catchUp: () => Promise<void> = async () => undefined,
): Promise<Reconciliation> {
  for (let i = 1; ; i++) {
    await catchUp()
    const found = await reconcileOnce(pool, chain, money, catchUp)
    if (i === TRIES || found.tokens.every((token) => token.balanced && token.surplus === 0n)) return found
  }
}

async function reconcileOnce(
  pool: Pool,
  chain: LedgerChain,
  money: Money,
  catchUp: () => Promise<void>,
): Promise<Reconciliation> {
  let snapshot = await readBooks(pool, chain, money)
  let held = await readHeld(chain, snapshot, BigInt(Math.max(0, snapshot.block)))
  if ([...held.values()].includes(null)) {
    const before = Number(await chain.blockNumber())
    const now = await readHeld(chain, snapshot, 'latest')
    const after = Number(await chain.blockNumber())
    await catchUp()
    snapshot = await readBooks(pool, chain, money)
    if (snapshot.block >= after && snapshot.lastMove <= before) held = now
  }
  const tokens = snapshot.books.map(({ token, own }): TokenBooks => {
    const contracts = own.map((sides) => ({
      ...sides,
      ...judge(sides, held.get(`${token}/${sides.contract}`) ?? null),
    }))
    return { token, ...money.of(token), ...total(contracts), contracts }
  })
  return { block: snapshot.block, balanced: tokens.every((token) => token.balanced), tokens }
}

function readBooks(
  pool: Pool,
  { deployment: { contracts, block: first } }: LedgerChain,
  money: Money,
): Promise<Snapshot> {
  return inTransaction(
    pool,
    async (client) => {
      const cursor = await firstRow(client, z.object({ block: count }), 'SELECT block FROM cursor')
      const moved = await firstRow(
        client,
        z.object({ block: count.nullable() }),
        `SELECT max(block) AS block FROM events WHERE contract IN ('assets', 'channels', 'jobs', 'registry')`,
      )
      const books: Snapshot['books'] = []
      for (const token of await tokensInUse(client, money)) {
        const own = [
          await assetsBooks(client, token, contracts.jobs, contracts.channels),
          await channelsBooks(client, token),
          await jobsBooks(client, token, contracts.jobs),
        ]
        if (token === contracts.salt.toLowerCase()) own.push(await registryBooks(client))
        books.push({ token, own })
      }
      return { block: cursor?.block ?? first - 1, books, lastMove: moved?.block ?? 0 }
    },
    'REPEATABLE READ',
  )
}

async function readHeld(chain: LedgerChain, { books }: Snapshot, block: bigint | 'latest'): Promise<Held> {
  const held = new Map<string, bigint | null>()
  for (const { token, own } of books) {
    for (const { contract } of own) {
      const holder = chain.deployment.contracts[contract]
      held.set(`${token}/${contract}`, (await chain.balanceOf(token, holder, block)) ?? null)
    }
  }
  return held
}

function judge(sides: Sides, held: bigint | null): Judged {
  const rest = sides.owed + sides.dust
  const surplus = held === null ? null : held - rest
  const equal = sides.paidIn + sides.received === sides.passedOn + sides.withdrawn + rest
  return {
    ...sides,
    held,
    surplus,
    balanced: equal && sides.owed >= 0n && sides.dust >= 0n && (surplus === null || surplus >= 0n),
  }
}

function total(contracts: readonly ContractBooks[]): Judged {
  const sum = (name: keyof Sides) => contracts.reduce((all, one) => all + one[name], 0n)
  const sides = {
    paidIn: sum('paidIn'),
    received: sum('received'),
    passedOn: sum('passedOn'),
    withdrawn: sum('withdrawn'),
    owed: sum('owed'),
    dust: sum('dust'),
  }
  const known = contracts.every((one) => one.held !== null)
  const judged = judge(sides, known ? contracts.reduce((all, one) => all + (one.held ?? 0n), 0n) : null)
  // What one contract passes on another must have received: so together, in = out + owed + dust.
  const balanced = judged.balanced && sides.received === sides.passedOn && contracts.every((one) => one.balanced)
  return { ...judged, balanced }
}

async function tokensInUse(database: Queryable, money: Money): Promise<Hex[]> {
  const seen = await rows(
    database,
    z.object({ token: hex }),
    `SELECT DISTINCT token FROM payments WHERE token <> '0x' UNION SELECT token FROM jobs`,
  )
  return [...new Set([...money.tokens, ...seen.map((row) => row.token)])]
}

/** Sum of one column over rows that match; 0 when there are none. */
async function sum(database: Queryable, sql: string, values: readonly unknown[]): Promise<bigint> {
  const found = await firstRow(database, z.object({ total: amount.nullable() }), sql, values)
  return found?.total ?? 0n
}

const paymentsSum = (database: Queryable, token: string, kind: string) =>
  sum(database, 'SELECT sum(amount) AS total FROM payments WHERE token = $1 AND kind = $2', [token, kind])

async function assetsBooks(database: Queryable, token: string, jobs: Hex, channels: Hex): Promise<OwnBooks> {
  const [all, received, withdrawn, settled, contributed] = [
    await paymentsSum(database, token, 'paid'),
    await sum(
      database,
      `SELECT sum(amount) AS total FROM payments WHERE token = $1 AND kind = 'paid' AND account IN ($2, $3)`,
      [token, jobs.toLowerCase(), channels.toLowerCase()],
    ),
    await paymentsSum(database, token, 'withdrawn'),
    await paymentsSum(database, token, 'settled'),
    await paymentsSum(database, token, 'contributed'),
  ]
  const position = await assetsPosition(database, token)
  const credited = settled + contributed - withdrawn
  const waiting = position.waiting.reduce((total, one) => total + one.amount, 0n)
  return {
    contract: 'assets',
    paidIn: all - received,
    received,
    passedOn: 0n,
    withdrawn,
    owed: credited + waiting + position.toUnknownContributors,
    dust: position.dust,
    parts: { credited, waiting, toUnknownContributors: position.toUnknownContributors },
  }
}

async function channelsBooks(database: Queryable, token: string): Promise<OwnBooks> {
  const [deposited, returned, creditTaken] = [
    await paymentsSum(database, token, 'deposited'),
    await paymentsSum(database, token, 'deposit-returned'),
    await paymentsSum(database, token, 'credit-withdrawn'),
  ]
  const claimed = await sum(
    database,
    'SELECT sum(amount) AS total FROM vouchers WHERE channel IN (SELECT channel FROM channels WHERE token = $1)',
    [token],
  )
  const [toVersions, credited] = [
    await sum(database, 'SELECT sum(to_version) AS total FROM settlements WHERE token = $1', [token]),
    await sum(database, 'SELECT sum(to_provider + to_gateway) AS total FROM settlements WHERE token = $1', [token]),
  ]
  const [unclaimed, credits] = [deposited - returned - claimed, credited - creditTaken]
  return {
    contract: 'channels',
    paidIn: deposited,
    received: 0n,
    passedOn: toVersions,
    withdrawn: returned + creditTaken,
    owed: unclaimed + credits,
    // The contract gives rounding to the version or the provider: anything here would be a fault.
    dust: claimed - toVersions - credited,
    parts: { unclaimed, credits },
  }
}

async function jobsBooks(database: Queryable, token: string, jobs: Hex): Promise<OwnBooks> {
  const escrow = await sum(database, 'SELECT sum(pay_per_round * rounds) AS total FROM jobs WHERE token = $1', [token])
  const training = await sum(
    database,
    `SELECT sum(amount) AS total FROM payments WHERE token = $1 AND kind = 'paid' AND account = $2`,
    [token, jobs.toLowerCase()],
  )
  const [paid, refunded] = [
    await paymentsSum(database, token, 'work-paid'),
    await paymentsSum(database, token, 'refunded'),
  ]
  const earned = await sum(
    database,
    `SELECT sum(f.total) AS total FROM jobs j
      JOIN LATERAL (SELECT payout_total AS total FROM rounds r
        WHERE r.job = j.job AND r.final_seq IS NOT NULL ORDER BY r.round DESC LIMIT 1) f ON true WHERE j.token = $1`,
    [token],
  )
  const toWorkers = earned - paid
  return {
    contract: 'jobs',
    paidIn: escrow + training,
    received: 0n,
    passedOn: training,
    withdrawn: paid + refunded,
    owed: toWorkers + (escrow - earned - refunded),
    dust: 0n,
    // Escrow of rounds to come goes to workers or back to the builder: which is not decided yet.
    parts: { toWorkers, undecided: escrow - earned - refunded },
  }
}

async function registryBooks(database: Queryable): Promise<OwnBooks> {
  const of = (name: string, field: string) =>
    sum(database, `SELECT sum((args ->> $2)::numeric) AS total FROM events WHERE contract = 'registry' AND name = $1`, [
      name,
      field,
    ])
  const [bonded, unbonded, burned, rewarded, taken] = [
    await of('Bonded', 'amount'),
    await of('Unbonded', 'amount'),
    await of('Slashed', 'burned'),
    await of('Slashed', 'rewarded'),
    await of('RewardWithdrawn', 'amount'),
  ]
  const bonds = bonded - unbonded - burned - rewarded
  return {
    contract: 'registry',
    paidIn: bonded,
    received: 0n,
    passedOn: 0n,
    withdrawn: unbonded + taken + burned,
    owed: bonds + rewarded - taken,
    dust: 0n,
    parts: { bonds, rewards: rewarded - taken, burned },
  }
}
