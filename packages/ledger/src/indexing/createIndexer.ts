/**
 * Follows the chain into the tables (R-01 …). One batch is a range of blocks; its events, all rows that follow from them and the
 * cursor are written in one transaction, so a process killed anywhere goes on where the last whole batch ended.
 */
import { type Hex, PotluckError } from '@potluck/protocol'
import type { Pool, PoolClient } from 'pg'
import { z } from 'zod'
import type { LedgerChain, LedgerEvent } from '../chain/LedgerChain.ts'
import { count, hex } from '../database/columns.ts'
import { inTransaction } from '../database/inTransaction.ts'
import { firstRow, rows } from '../database/rows.ts'
import { EventArgs, plainArgs } from './EventArgs.ts'
import { projectEvent } from './projectEvent.ts'

/** More logs than this never stand in one block: gas would not allow it. */
const SEQ_PER_BLOCK = 1_000_000
/** Hashes of batch ends kept to find where two histories part; a deeper change of history means a rebuild. */
const BLOCKS_KEPT = 5_000

export type IndexerDeps = {
  chain: LedgerChain
  pool: Pool
  log: (line: string) => void
  /** Blocks a batch; default 2,000. */
  rangeBlocks?: number
}

export type IndexerStep =
  | { kind: 'indexed'; toBlock: number; events: number }
  | { kind: 'idle'; toBlock: number }
  | { kind: 'rolled-back'; toBlock: number }

export type Indexer = {
  /** One batch, or one step back. Throws what chain and database throw; calling again is always right. */
  step(): Promise<IndexerStep>
  /** Steps until there is nothing more to read. */
  catchUp(): Promise<void>
  /** Blocks of the head that may still change are left out. */
  position(): Promise<{ block: number; head: number }>
}

export function createIndexer({ chain, pool, log, rangeBlocks = 2_000 }: IndexerDeps): Indexer {
  const { deployment } = chain
  const contracts = {
    jobs: deployment.contracts.jobs.toLowerCase() as Hex,
    channels: deployment.contracts.channels.toLowerCase() as Hex,
  }
  const network = `${deployment.chainId}:${contracts.jobs}`
  const first = Math.max(0, deployment.block)

  /** Last block that is in the tables. */
  async function readCursor(): Promise<number> {
    const found = await firstRow(
      pool,
      z.object({ network: z.string(), block: count }),
      'SELECT network, block FROM cursor',
    )
    if (found === undefined) {
      await pool.query('INSERT INTO cursor (network, block) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        network,
        first - 1,
      ])
      return readCursor()
    }
    if (found.network === network) return found.block
    throw new PotluckError(
      'OTHER_NETWORK',
      `this database holds network ${found.network}, the chain is ${network}; give each network its own database`,
      { found: found.network, wanted: network },
      { remedy: 'fix-setup' },
    )
  }

  /** The newest block up to which our history is still the chain's; `block` itself when nothing changed. */
  async function findAgreement(block: number): Promise<number> {
    // Nearly always the first mark agrees; the next ones are read only when it does not.
    let [below, marks] = [block + 1, 1]
    for (;;) {
      const known = await rows(
        pool,
        z.object({ block: count, hash: hex }),
        'SELECT block, hash FROM blocks WHERE block < $1 ORDER BY block DESC LIMIT $2',
        [below, marks],
      )
      if (known.length === 0) return below === block + 1 ? block : first - 1
      for (const mark of known) {
        if ((await chain.blockHash(BigInt(mark.block))) === mark.hash) return mark.block
        below = mark.block
      }
      marks = 50
    }
  }

  async function rollBack(from: number, to: number): Promise<void> {
    await inTransaction(pool, async (client) => {
      await lockCursor(client, from)
      await client.query('DELETE FROM events WHERE block > $1', [to])
      await client.query('DELETE FROM blocks WHERE block > $1', [to])
      await client.query('UPDATE cursor SET block = $1', [to])
    })
    log(`the chain changed its history: blocks ${to + 1} to ${from} are read again`)
  }

  async function writeBatch(from: number, to: number, hash: Hex, events: readonly LedgerEvent[]): Promise<number> {
    return inTransaction(pool, async (client) => {
      await lockCursor(client, from - 1)
      let written = 0
      for (const event of inOrder(events)) if (await writeEvent(client, event, contracts)) written++
      await client.query('INSERT INTO blocks (block, hash) VALUES ($1, $2)', [to, hash])
      await client.query('DELETE FROM blocks WHERE block < $1', [to - BLOCKS_KEPT])
      await client.query('UPDATE cursor SET block = $1', [to])
      return written
    })
  }

  const lastSettled = async (): Promise<number> =>
    Number(await chain.blockNumber()) - Math.max(0, deployment.settings.confirmations - 1)

  async function step(): Promise<IndexerStep> {
    const cursor = await readCursor()
    const agreed = await findAgreement(cursor)
    if (agreed < cursor) {
      await rollBack(cursor, agreed)
      return { kind: 'rolled-back', toBlock: agreed }
    }
    const to = Math.min(await lastSettled(), cursor + rangeBlocks)
    if (to <= cursor) return { kind: 'idle', toBlock: cursor }
    // The hash is taken on both sides of the read: the events belong to it, or the batch is dropped.
    const before = await chain.blockHash(BigInt(to))
    const events = await chain.events({ fromBlock: BigInt(cursor + 1), toBlock: BigInt(to) })
    const after = await chain.blockHash(BigInt(to))
    if (before === undefined || before !== after) return { kind: 'idle', toBlock: cursor }
    if ((await findAgreement(cursor)) < cursor) return { kind: 'idle', toBlock: cursor }
    const written = await writeBatch(cursor + 1, to, before, events)
    return { kind: 'indexed', toBlock: to, events: written }
  }

  return {
    step,
    async catchUp() {
      while ((await step()).kind !== 'idle');
    },
    async position() {
      return { block: await readCursor(), head: await lastSettled() }
    },
  }
}

/** Holds the cursor until the transaction ends. Throws CURSOR_MOVED (retry) when another ledger was faster. */
async function lockCursor(client: PoolClient, expected: number): Promise<void> {
  const seen = await firstRow(client, z.object({ block: count }), 'SELECT block FROM cursor FOR UPDATE')
  if (seen?.block === expected) return
  throw new PotluckError(
    'CURSOR_MOVED',
    `another ledger works on this database: the cursor is at ${seen?.block}, not ${expected}`,
    { expected, seen: seen?.block ?? null },
    { remedy: 'retry' },
  )
}

function inOrder(events: readonly LedgerEvent[]): LedgerEvent[] {
  return [...events].sort((a, b) => Number(a.block - b.block) || a.logIndex - b.logIndex)
}

/** False when the event was there already: an endpoint may deliver twice. */
async function writeEvent(
  client: PoolClient,
  event: LedgerEvent,
  contracts: { jobs: Hex; channels: Hex },
): Promise<boolean> {
  const seq = Number(event.block) * SEQ_PER_BLOCK + event.logIndex
  const args = plainArgs(event.args)
  const stored = await client.query(
    `INSERT INTO events (seq, block, log_index, tx_hash, contract, name, at_s, args)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tx_hash, log_index) DO NOTHING`,
    [
      seq,
      Number(event.block),
      event.logIndex,
      event.txHash,
      event.contract,
      event.name,
      event.timestamp === undefined ? null : Number(event.timestamp),
      JSON.stringify(args),
    ],
  )
  if (stored.rowCount === 0) return false
  const placed = { seq, block: Number(event.block), txHash: event.txHash, contract: event.contract, name: event.name }
  await projectEvent(client, { ...placed, args: new EventArgs(args) }, contracts)
  return true
}
