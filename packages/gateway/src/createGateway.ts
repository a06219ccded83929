import { addressOfSecret, type CallReceipt, signReceipt } from '@potluck/protocol'
import Fastify, { type FastifyInstance } from 'fastify'
import { ApiError, toApiError } from './ApiError.ts'
import type { ChannelLedger } from './ChannelLedger.ts'
import { ChannelViews } from './ChannelViews.ts'
import { Desk } from './Desk.ts'
import type { GatewayConfig } from './gatewayConfig.ts'
import { inferRoutes } from './inferRoutes.ts'
import { ModelBook, type ModelInfo } from './ModelBook.ts'
import { Metrics } from './metrics.ts'
import { moneyRoutes } from './moneyRoutes.ts'
import { PaymentStore } from './PaymentStore.ts'
import { type ProviderEntry, ProviderPool } from './ProviderPool.ts'
import { Reception } from './Reception.ts'
import { type Settlement, settle } from './settle.ts'
import { Till } from './Till.ts'
import { type RouteDeps, textRoutes } from './textRoutes.ts'

export type GatewayDeps = {
  /** As `gatewayConfig.parse` gives it. */
  config: GatewayConfig
  /** The node key: signs receipts and orders to providers. */
  nodeSecret: Uint8Array
  ledger: ChannelLedger
  /** SQLite file, or `:memory:` when nothing has to survive. */
  databaseFile: string
  listProviders: () => readonly ProviderEntry[]
  /** Name and digest of a version, from the chain and its metadata; undefined leaves it out. */
  describeModel: (version: number) => Promise<ModelInfo | undefined>
  /** Makes receipts public. May be called again with the same ones after a crash. */
  publishReceipts: (receipts: CallReceipt[]) => Promise<void>
  nowMs: () => number
  /** Cryptographically random, for ids of calls. */
  randomBytes: (length: number) => Uint8Array
  /** Failures of our own, and of providers and the chain. Never contains a caller's key. */
  onError?: (error: unknown) => void
}

export type Gateway = {
  readonly app: FastifyInstance
  /** Starts answering and the timers; gives the base URL. */
  listen(options?: { host?: string; port?: number }): Promise<string>
  settle(): Promise<Settlement>
  /** Publishes receipts that are not yet; the number published. */
  publish(): Promise<number>
  close(): Promise<void>
}

/**
 * An OpenAI-compatible server that is paid by voucher (G-01). Reads no file but its database and nothing of the environment; all else
 * is passed in.
 */
export function createGateway(deps: GatewayDeps): Gateway {
  const { config, ledger, nowMs } = deps
  const onError = deps.onError ?? (() => undefined)
  const metrics = new Metrics()
  const sign = (receipt: Parameters<typeof signReceipt>[0]) => signReceipt(receipt, deps.nodeSecret)
  const store = new PaymentStore(deps.databaseFile, { gateway: config.gateway, signReceipt: sign, nowMs })
  const views = new ChannelViews(ledger, config, store, nowMs)
  const till = new Till(ledger, views, store, metrics)
  const nodeKey = addressOfSecret(deps.nodeSecret)
  const { listProviders, nodeSecret, randomBytes } = deps
  const pool = new ProviderPool({ config, nodeSecret, nodeKey, listProviders, nowMs, onError })
  const models = new ModelBook(pool, deps.describeModel, onError)
  const desk = new Desk({ config, store, till, pool, nowMs })
  const reception = new Reception({ config, ledger, views, store, randomBytes })
  const routes: RouteDeps = { config, models, pool, reception, desk, store, metrics, nowMs, onError }

  const app = Fastify({
    bodyLimit: config.bodyLimitBytes,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 500 },
  })
  app.setErrorHandler((error, _request, reply) => {
    const told = toApiError(error)
    if (told.code === 'internal' || told.code === 'chain_unreachable') onError(error)
    return reply.status(told.status).send(told.body)
  })
  app.setNotFoundHandler((request) => {
    throw new ApiError(
      'not_found',
      `there is no ${request.method} ${request.url.slice(0, 200)} here: see GET /v1/models`,
    )
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.add('potluck_requests_total', 'Requests answered.', { route, status: reply.statusCode })
    const help = 'Time until the answer was complete.'
    metrics.add('potluck_request_seconds_sum', help, { route }, reply.elapsedTime / 1000)
  })
  app.get('/health', async () => ({ status: 'ok', versions: pool.versions().size, owed: String(store.owed()) }))
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(metrics.text()))
  textRoutes(app, routes)
  inferRoutes(app, routes)
  moneyRoutes(app, routes, ledger)

  // Claims and publications never run twice at a time: the second would send the same vouchers.
  const settleOnce = oneAtATime(async () => {
    const settled = await settle({ ledger, store, operator: config.operator, batch: config.settleBatch })
    metrics.add('potluck_settled_vouchers_total', 'Vouchers claimed on chain.', {}, settled.claimed.length)
    return settled
  })
  const publishOnce = oneAtATime(async () => {
    let published = 0
    for (;;) {
      const batch = store.unpublishedReceipts(config.receiptsBatch)
      if (batch.length === 0) return published
      await deps.publishReceipts(batch.map(({ receipt }) => receipt))
      store.markPublished(batch.map(({ seq }) => seq))
      published += batch.length
    }
  })

  const timers: NodeJS.Timeout[] = []
  const every = (ms: number, work: () => Promise<unknown>): void => {
    if (ms > 0) timers.push(setInterval(() => void work().catch(onError), ms))
  }
  // Longer than any connection can still be at work on its call.
  const openMs = 2 * Math.max(config.requestTimeoutMs, config.voucherTimeoutMs)
  const tick = async (): Promise<void> => {
    const now = nowMs()
    store.sweep({ openBeforeMs: now - openMs, forgetBeforeMs: now - config.keepAnswersMs, except: desk.active })
    await publishOnce()
    if (config.settleThreshold > 0n && store.owed() >= config.settleThreshold) await settleOnce()
  }

  return {
    app,
    async listen({ host = '127.0.0.1', port = 0 } = {}) {
      const url = await app.listen({ host, port })
      every(config.receiptsEveryMs, tick)
      every(config.settleEveryMs, settleOnce)
      return url
    },
    settle: settleOnce,
    publish: publishOnce,
    async close() {
      for (const timer of timers) clearInterval(timer)
      await app.close()
      // What is under way still needs the database; how it ended is told to whoever waits for it.
      await Promise.allSettled([settleOnce.idle(), publishOnce.idle()])
      await pool.close()
      store.close()
    },
  }
}

/** `work` as a function of which a call waits for the one before it. */
function oneAtATime<T>(work: () => Promise<T>): (() => Promise<T>) & { idle: () => Promise<unknown> } {
  let last: Promise<unknown> = Promise.resolve()
  const run = (): Promise<T> => {
    const next = last.then(work, work)
    last = next.catch(() => undefined)
    return next
  }
  return Object.assign(run, { idle: () => last })
}
