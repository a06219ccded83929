/** The ledger over HTTP: read only, every answer JSON with amounts as decimal digits, every error `{ error: { code, message, facts } }`. */
import { describeIssues, type Hex, PotluckError } from '@potluck/protocol'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import { z } from 'zod'
import type { LedgerChain } from '../chain/LedgerChain.ts'
import { databaseError } from '../database/openDatabase.ts'
import { jobOf, listJobs } from '../money/jobOf.ts'
import type { Money } from '../money/Money.ts'
import { provenanceOf } from '../money/provenanceOf.ts'
import { reconcile } from '../money/reconcile.ts'
import { statementOf } from '../money/statementOf.ts'
import { explain, isSubject } from '../why/explain.ts'
import { type Health, metricsText } from './metricsText.ts'

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address: 0x and 40 hex digits')
  .transform((text) => text.toLowerCase() as Hex)
const id = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'expected a whole number from 1')
  .transform((text) => Number(text))
const limits = z.object({
  most: z.coerce.number().int().min(1).max(1_000).optional(),
  deepest: z.coerce.number().int().min(0).max(1_000).optional(),
})
const subject = z
  .string()
  .max(100)
  .refine(isSubject, 'expected a transaction or request hash, an address, job/<id>/<round>/<worker> or version/<id>')

/** One table from codes to HTTP; what is not in it is our fault. */
const statuses: Readonly<Record<string, number>> = {
  BAD_REQUEST: 400,
  NOT_FOUND: 404,
  DATABASE_UNREACHABLE: 503,
  RPC_UNREACHABLE: 503,
}

export type ServerDeps = {
  chain: LedgerChain
  pool: Pool
  money: Money
  health: () => Promise<Health>
  catchUp: () => Promise<void>
  log: (line: string) => void
}

/** The server, not yet listening. */
export function createServer({ chain, pool, money, health, catchUp, log }: ServerDeps): FastifyInstance {
  const server = Fastify({ logger: false })
  server.setReplySerializer((payload) =>
    JSON.stringify(payload, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  )

  server.get('/health', async (_, reply) => {
    const now = await health()
    return reply.status(now.ok ? 200 : 503).send(now)
  })
  server.get('/metrics', async (_, reply) => {
    const text = await metricsText(pool, await health())
    return reply
      .type('text/plain; version=0.0.4')
      .serializer((sent: string) => sent)
      .send(text)
  })
  server.get('/reconcile', () => reconcile(pool, chain, money, catchUp))
  server.get('/jobs', async () => ({ jobs: await listJobs(pool) }))
  server.get('/jobs/:id', async ({ params }) => {
    const given = checked(z.object({ id }), params)
    return found(await jobOf(pool, given.id), `job ${given.id}`)
  })
  server.get('/statement/:account', ({ params }) =>
    statementOf(pool, checked(z.object({ account: address }), params).account, money),
  )
  server.get('/versions/:id/provenance', async ({ params }) => {
    const given = checked(z.object({ id }), params)
    return found(await provenanceOf(pool, given.id), `version ${given.id}`)
  })
  server.get('/why/*', async ({ params, query }) => {
    const asked = checked(z.object({ '*': subject }), params)['*']
    const { most, deepest } = checked(limits, query)
    const options = { ...(most === undefined ? {} : { most }), ...(deepest === undefined ? {} : { deepest }) }
    return found(await explain(pool, chain.deployment, asked, options), asked)
  })

  server.setNotFoundHandler((request, reply) => {
    const error = new PotluckError('NOT_FOUND', `no ${request.method} ${request.url.slice(0, 200)} here`)
    return reply.status(404).send(errorBody(error))
  })
  server.setErrorHandler((thrown, _, reply) => {
    const error = databaseError(thrown)
    const status = error instanceof Error && 'code' in error ? (statuses[String(error.code)] ?? 500) : 500
    if (status === 500)
      log(`request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return reply.status(status).send(errorBody(error, status))
  })
  return server
}

function checked<S extends z.ZodTypeAny>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PotluckError('BAD_REQUEST', describeIssues(parsed.error))
}

function found<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value
  throw new PotluckError('NOT_FOUND', `nothing is known of ${what}; it may not be indexed yet, see /health`)
}

function errorBody(error: unknown, status = 404) {
  // What went wrong inside is for the log, not for strangers.
  if (status === 500)
    return { error: { code: 'INTERNAL', message: 'the ledger could not answer; its log says why', facts: {} } }
  const { code, message, facts } = error as PotluckError
  return { error: { code, message, facts: facts ?? {} } }
}
