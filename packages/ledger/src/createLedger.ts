/** The ledger as a daemon runs it: indexer, documents, receipts and HTTP on one database. */
import { type Body, type CallReceipt, type Hex, PotluckError } from '@potluck/protocol'
import type { LedgerChain } from './chain/LedgerChain.ts'
import { inTransaction } from './database/inTransaction.ts'
import { migrate } from './database/migrate.ts'
import { databaseError, openDatabase } from './database/openDatabase.ts'
import { createDocumentKeeper, type FetchDocument } from './documents/createDocumentKeeper.ts'
import { storeBeat } from './documents/storeBeat.ts'
import { type StoredReceipts, storeReceipts } from './documents/storeReceipts.ts'
import { createServer } from './http/createServer.ts'
import type { Health } from './http/metricsText.ts'
import { createIndexer } from './indexing/createIndexer.ts'
import { moneyOf } from './money/Money.ts'
import { type Reconciliation, reconcile } from './money/reconcile.ts'
import { repeat } from './repeat.ts'
import { explain } from './why/explain.ts'
import type { Step } from './why/Step.ts'

export type LedgerDeps = {
  chain: LedgerChain
  databaseUrl: string
  /** Bytes behind a digest from store or network; undefined when nobody has them now. */
  fetchDocument: FetchDocument
  /** Subscribes to gossip; each returns how to end the subscription. */
  onReceipts?: (handler: (body: Body<'receipts'>) => void) => () => void
  onBeat?: (handler: (body: Body<'beat'>, from: Hex, atMs: number) => void) => () => void
  /** Milliseconds. */
  clock: () => number
  listen: { host: string; port: number }
  log?: (line: string) => void
}

export type Ledger = {
  /** http://host:port */
  url: string
  port: number
  health(): Promise<Health>
  /** Reads the chain and fetches documents up to now; for tests and for whoever must not wait. Throws what stood in the way. */
  catchUp(): Promise<void>
  /** Keeps receipts handed over directly; gossip is the usual way. */
  ingestReceipts(receipts: readonly CallReceipt[]): Promise<StoredReceipts>
  reconcile(): Promise<Reconciliation>
  why(subject: string): Promise<Step | undefined>
  close(): Promise<void>
}

const MOST_ANNOUNCED = 10_000

/**
 * Starts the ledger and answers at once; database and chain may come, go and come back: work waits for them, with growing pauses of
 * up to 5 s, and goes on where it stopped. Throws PORT_TAKEN when the HTTP port is in use.
 */
export async function createLedger(deps: LedgerDeps): Promise<Ledger> {
  const { chain, clock, fetchDocument } = deps
  const log = deps.log ?? (() => undefined)
  const pool = openDatabase(deps.databaseUrl, log)
  const money = moneyOf(chain.deployment)
  const indexer = createIndexer({ chain, pool, log })
  const keeper = createDocumentKeeper({ pool, fetchDocument, clock, log })
  let [ready, trouble, rollBacks]: [boolean, string | null, number] = [false, null, 0]

  async function prepare(): Promise<void> {
    if (ready) return
    await migrate(pool)
    ready = true
  }

  async function indexAll(): Promise<void> {
    await prepare()
    for (;;) {
      const { kind } = await indexer.step()
      if (kind === 'rolled-back') rollBacks++
      if (kind === 'idle') break
    }
    trouble = null
  }

  async function health(): Promise<Health> {
    const state: Health = {
      ok: false,
      database: 'up',
      chain: 'up',
      block: null,
      head: null,
      lagBlocks: null,
      trouble,
      rollBacks,
    }
    try {
      await prepare()
      const { block, head } = await indexer.position()
      return { ...state, ok: trouble === null, block, head, lagBlocks: Math.max(0, head - block) }
    } catch (error) {
      const known = databaseError(error)
      const code = known instanceof PotluckError ? known.code : ''
      const message = error instanceof Error ? error.message : String(error)
      if (code === 'DATABASE_UNREACHABLE') return { ...state, database: 'down', trouble: message }
      return { ...state, chain: 'down', trouble: message }
    }
  }

  const onTrouble = (what: string) => (error: unknown) => {
    const known = databaseError(error)
    const message = known instanceof Error ? known.message : String(known)
    if (what === 'indexing') trouble = message
    log(`${what} waits: ${message}`)
  }
  const everyMs = Math.max(50, chain.deployment.settings.pollMs)
  // Kept here until the database has them: it may be away just now.
  const announced = new Set<Hex>()
  const indexing = repeat(indexAll, { everyMs, onError: onTrouble('indexing') })
  const fetching = repeat(
    async () => {
      await prepare()
      for (const digest of announced) {
        await keeper.wantReceipts(digest)
        announced.delete(digest)
      }
      await keeper.sweep()
    },
    { everyMs: Math.max(everyMs, 250), onError: onTrouble('fetching') },
  )
  const server = createServer({ chain, pool, money, health, catchUp: () => indexing.now(), log })
  try {
    await server.listen(deps.listen)
  } catch (cause) {
    await Promise.all([indexing.stop(), fetching.stop()])
    await pool.end()
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    const message = `port ${deps.listen.port} is taken; choose another for the ledger`
    throw new PotluckError('PORT_TAKEN', message, { port: deps.listen.port }, { cause, remedy: 'fix-setup' })
  }
  const address = server.server.address()
  const port = typeof address === 'object' && address ? address.port : deps.listen.port

  const unsubscribes = [
    deps.onReceipts?.(({ digest }) => {
      if (announced.size < MOST_ANNOUNCED) announced.add(digest)
    }),
    // A lost beat is replaced by the next one.
    deps.onBeat?.((body, from, atMs) => void storeBeat(pool, body, from, atMs).catch(onTrouble('a beat'))),
  ]

  return {
    url: `http://${deps.listen.host}:${port}`,
    port,
    health,
    async catchUp() {
      await indexing.now()
      await fetching.now()
      // A report that came in asks for its payout document.
      await fetching.now()
    },
    ingestReceipts: (receipts) => inTransaction(pool, (client) => storeReceipts(client, receipts)),
    reconcile: () => reconcile(pool, chain, money, indexing.now),
    why: (subject) => explain(pool, chain.deployment, subject),
    async close() {
      for (const unsubscribe of unsubscribes) unsubscribe?.()
      await Promise.all([indexing.stop(), fetching.stop(), server.close()])
      await pool.end()
    },
  }
}
