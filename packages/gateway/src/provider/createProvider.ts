import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Engine, generate, type LanguageConfig } from '@potluck/engine'
import { allocationHash, codeOf, describeIssues, fromHex, type Hex, PotluckError } from '@potluck/protocol'
import Fastify, { type FastifyInstance } from 'fastify'
import type { z } from 'zod'
import {
  type GenerateOrder,
  orderSigner,
  type PredictOrder,
  type ProviderModel,
  signedGenerateOrder,
  signedPredictOrder,
} from './providerMessages.ts'

export type TabularModel = {
  /** Names of the values a row takes, and of the numbers `predict` gives, in its order. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Throws a PotluckError with remedy `fix-input` for values it cannot take. */
  readonly predict: (values: Readonly<Record<string, number>>) => number[]
}

export type LoadedModel =
  | { readonly kind: 'language'; readonly config: LanguageConfig; readonly parameters: Float32Array }
  | { readonly kind: 'tabular'; readonly model: TabularModel }

export type ProviderDeps = {
  engine: Engine
  /** Address that allocations must name. */
  node: Hex
  /** Versions served here. */
  versions: () => readonly number[]
  loadModel: (version: number) => Promise<LoadedModel>
  /** Whether a gateway's node key may order here: one that is registered, say. */
  mayOrder: (gateway: Hex) => boolean | Promise<boolean>
  nowMs: () => number
  onError?: (error: unknown) => void
  /** Answers in the making at one time; more are refused, and the gateway asks another provider. Default 4. */
  maxConcurrent?: number
  /** Models kept in memory. Default 8. */
  maxLoaded?: number
}

export type Provider = {
  readonly app: FastifyInstance
  listen(options?: { host?: string; port?: number }): Promise<string>
  close(): Promise<void>
}

// As for gossip: more than any honest clock is off.
const MAX_ORDER_AGE_MS = 60_000
const BODY_LIMIT_BYTES = 2_000_000

const statusOf: Readonly<Record<string, number>> = {
  BAD_ORDER: 400,
  BAD_INPUTS: 400,
  ORDER_REFUSED: 403,
  UNKNOWN_MODEL: 404,
  PROVIDER_BUSY: 503,
}

/**
 * A server that holds models and runs them for gateways (G-20, G-21).
 *
 * It knows nothing of prices: it checks that the order is signed by a gateway it serves, and that the money of the request is allocated to
 * this provider and this version. The same order always gives the same answer.
 */
export function createProvider(deps: ProviderDeps): Provider {
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true })
  const loaded = new Map<number, Promise<LoadedModel>>()
  let running = 0

  const model = (version: number): Promise<LoadedModel> => {
    if (!deps.versions().includes(version))
      throw new PotluckError('UNKNOWN_MODEL', `version ${version} is not served here`)
    const known = loaded.get(version) ?? deps.loadModel(version)
    loaded.delete(version)
    loaded.set(version, known)
    // A load that failed is tried again by the next request.
    known.catch(() => loaded.delete(version))
    const oldest = loaded.keys().next()
    if (loaded.size > (deps.maxLoaded ?? 8) && !oldest.done) loaded.delete(oldest.value)
    return known
  }

  const admit = async <O extends GenerateOrder | PredictOrder>(
    schema: z.ZodType<O & { signature: Hex }, z.ZodTypeDef, unknown>,
    body: unknown,
  ): Promise<O> => {
    const parsed = schema.safeParse(body)
    if (!parsed.success) throw new PotluckError('BAD_ORDER', describeIssues(parsed.error))
    const asked = parsed.data
    const refuse = (why: string): never => {
      throw new PotluckError('ORDER_REFUSED', why)
    }
    const { allocation, version } = asked
    if (allocation.provider !== deps.node)
      refuse(`the money goes to ${allocation.provider}, this provider is ${deps.node}`)
    if (allocation.version !== version) refuse(`the money goes to version ${allocation.version}, asked is ${version}`)
    if (Math.abs(deps.nowMs() - asked.atMs) > MAX_ORDER_AGE_MS)
      refuse(`the order is of ${asked.atMs}: check the clocks`)
    if (orderSigner(asked) !== asked.gateway) refuse(`not signed by ${asked.gateway}`)
    if (!(await deps.mayOrder(asked.gateway))) refuse(`${asked.gateway} is no gateway served here`)
    if (running >= (deps.maxConcurrent ?? 4))
      throw new PotluckError('PROVIDER_BUSY', `${running} answers in the making`)
    return asked
  }

  app.setErrorHandler((error, _request, reply) => {
    const code = codeOf(error) ?? 'INTERNAL'
    const status = statusOf[code] ?? (code.startsWith('FST_ERR_CTP') ? 400 : 500)
    if (status === 500) deps.onError?.(error)
    const message = status === 500 ? 'the provider failed' : (error as Error).message
    return reply.status(status).send({ error: { code, message } })
  })

  app.get('/provider/models', async () => {
    const models: ProviderModel[] = []
    for (const version of deps.versions()) {
      try {
        models.push(describe(version, await model(version)))
      } catch (error) {
        // One that cannot be loaded now does not hide the others.
        deps.onError?.(error)
      }
    }
    return { models }
  })

  app.post('/provider/generate', async (request, reply) => {
    const asked = await admit<GenerateOrder>(signedGenerateOrder, request.body)
    const found = await model(asked.version)
    if (found.kind !== 'language') throw new PotluckError('BAD_ORDER', `version ${asked.version} does not write text`)
    const gone = new AbortController()
    reply.raw.on('close', () => gone.abort())
    reply.header('content-type', 'application/x-ndjson').header('potluck-allocation', allocationHash(asked.allocation))
    return reply.send(Readable.from(lines(deps, asked, found, gone.signal, (by) => (running += by))))
  })

  app.post('/provider/predict', async (request): Promise<{ rows: number[][] }> => {
    const asked = await admit<PredictOrder>(signedPredictOrder, request.body)
    const found = await model(asked.version)
    if (found.kind !== 'tabular') throw new PotluckError('BAD_ORDER', `version ${asked.version} does not take rows`)
    return { rows: asked.rows.map((row) => found.model.predict(row)) }
  })

  return {
    app,
    listen: ({ host = '127.0.0.1', port = 0 } = {}) => app.listen({ host, port }),
    close: () => app.close(),
  }
}

const describe = (version: number, found: LoadedModel): ProviderModel =>
  found.kind === 'tabular'
    ? { kind: found.kind, version, inputs: [...found.model.inputs], outputs: [...found.model.outputs] }
    : { kind: found.kind, version }

async function* lines(
  deps: ProviderDeps,
  asked: GenerateOrder,
  model: LoadedModel & { kind: 'language' },
  signal: AbortSignal,
  count: (by: number) => void,
): AsyncGenerator<string> {
  const line = (value: unknown): string => `${JSON.stringify(value)}\n`
  const { prompt, maxTokens, temperature, stop } = asked
  count(1)
  try {
    let tokens = 0
    const seed = fromHex(asked.seed)
    const { config, parameters } = model
    for await (const token of generate(deps.engine, {
      config,
      parameters,
      prompt,
      maxTokens,
      temperature,
      seed,
      stop,
      signal,
    })) {
      tokens++
      yield line({ token })
      // Each token takes the thread for a forward pass: let others in between.
      await nextTurn()
    }
    yield line({ done: tokens < maxTokens ? 'stop' : 'length' })
  } catch (error) {
    if (signal.aborted) return
    deps.onError?.(error)
    yield line({ error: { code: codeOf(error) ?? 'INTERNAL', message: 'the provider failed while answering' } })
  } finally {
    count(-1)
  }
}
