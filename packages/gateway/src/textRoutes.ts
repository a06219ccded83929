import { Readable } from 'node:stream'
import { fromHex, sha256, toHex, utf8 } from '@potluck/protocol'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError, toApiError } from './ApiError.ts'
import { answerSteps } from './answerSteps.ts'
import type { Desk, StreamEvent, Visit } from './Desk.ts'
import type { GatewayConfig } from './gatewayConfig.ts'
import type { Answer } from './HeldAnswers.ts'
import type { ModelBook, ServedModel } from './ModelBook.ts'
import type { Metrics } from './metrics.ts'
import { type AnswerHead, answerChunk, usageChunk, wholeAnswer } from './openaiAnswers.ts'
import type { PaymentStore } from './PaymentStore.ts'
import type { ProviderPool, TextOrder } from './ProviderPool.ts'
import type { Reception } from './Reception.ts'
import { countTokens, renderChat, TURN_END } from './renderChat.ts'
import { parseChat, parseCompletion, type TextRequest } from './requestBodies.ts'

export type RouteDeps = {
  config: GatewayConfig
  models: ModelBook
  pool: ProviderPool
  reception: Reception
  desk: Desk
  store: PaymentStore
  metrics: Metrics
  nowMs: () => number
  onError: (error: unknown) => void
}

export const pricesOf = (config: GatewayConfig, version: number) => config.modelPrices[version] ?? config.prices

const modelObject = (id: string, { createdSeconds, ownedBy }: ServedModel) => ({
  id,
  object: 'model',
  created: createdSeconds,
  owned_by: ownedBy,
})

/** OpenAI's routes for models, completions and chat. */
export function textRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/v1/models', async () => {
    const models = await deps.models.list()
    // The newest version of a name stands under the name; every version under its number.
    const names = new Map<string, ServedModel>()
    for (const model of models) if (!names.has(model.name)) names.set(model.name, model)
    const byName = [...names].map(([name, model]) => modelObject(name, model))
    return {
      object: 'list',
      data: [...byName, ...models.map((model) => modelObject(`potluck/${model.version}`, model))],
    }
  })
  app.get<{ Params: { '*': string } }>('/v1/models/*', async (request) => {
    const id = request.params['*']
    return modelObject(id, await deps.models.find(id))
  })
  app.post('/v1/completions', (request, reply) => answer(deps, request, reply, parseCompletion(request.body), false))
  app.post('/v1/chat/completions', (request, reply) => answer(deps, request, reply, parseChat(request.body), true))
}

async function answer(
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: TextRequest,
  isChat: boolean,
): Promise<unknown> {
  const { config, desk, pool, store, nowMs } = deps
  const maxTokens = asked.maxTokens ?? config.maxTokens
  if (maxTokens > config.maxTokens) {
    const message = `max_tokens: at most ${config.maxTokens} here, asked ${maxTokens}`
    throw new ApiError('bad_request', message, { param: 'max_tokens' })
  }
  const model = await deps.models.find(asked.model)
  const visit = await deps.reception.receive(request, reply, model)
  const kind = (await pool.describe(model.version, visit.signal)).kind
  if (kind !== 'language') {
    const message = `model ${asked.model} predicts from tables: use /v2/models/${asked.model}/infer`
    throw new ApiError('model_not_found', message, { param: 'model' })
  }
  const prompt = typeof asked.prompt === 'string' ? asked.prompt : renderChat(asked.prompt)
  const order: TextOrder = {
    ...{ version: model.version, requestHash: visit.call.requestHash, prompt, maxTokens },
    ...{ temperature: asked.temperature, stop: asked.stop ?? (isChat ? [TURN_END] : []), seed: seedOf(asked, visit) },
  }
  const promptTokens = countTokens(prompt)
  const prices = pricesOf(config, model.version)
  const cost = (completion: number): bigint =>
    BigInt(promptTokens) * prices.prompt + BigInt(completion) * prices.completion
  const headOf = (id: string): AnswerHead => ({ id, created: Math.floor(nowMs() / 1000), model: asked.model, isChat })
  const markDelivered = (id: string): void => {
    reply.raw.on('finish', () => store.markDelivered(id))
  }
  if (asked.stream) {
    const events = await desk.stream(visit, order, promptTokens, prices, cost(maxTokens))
    // Until the answer ends the call's own id is not known to be the one resumed: chunks carry the visit's.
    const lines = sse(deps, headOf(visit.call.id), asked.includeUsage, events, markDelivered)
    reply.header('content-type', 'text/event-stream; charset=utf-8').header('cache-control', 'no-cache')
    return reply.send(Readable.from(lines))
  }
  const make = async (prefer: Answer['provider'] | undefined): Promise<Answer> => {
    let text = ''
    let completionTokens = 0
    for await (const step of answerSteps(pool, order, maxTokens + 1, { passed: '', prefer, signal: visit.signal })) {
      // After a failure between providers the whole answer is the last one's: it would have given the same.
      text += step.text
      completionTokens += step.tokens
      if (step.finish !== null)
        return { text, promptTokens, completionTokens, provider: step.provider, finish: step.finish }
    }
    throw new ApiError('provider_failed', 'the answer ended without a reason: try again')
  }
  const served = await desk.serve(visit, make, (made) => cost(made.completionTokens), cost(maxTokens))
  markDelivered(served.callId)
  deps.metrics.add('potluck_tokens_total', 'Tokens delivered.', { model: asked.model }, served.answer.completionTokens)
  return wholeAnswer(headOf(served.callId), served.answer.text, served.answer.finish, served.answer)
}

/** 32 bytes that decide the draws: from `seed`, or from the request itself, so that every answer can be made again. */
function seedOf(asked: TextRequest, visit: Visit) {
  const { requestHash } = visit.call
  return toHex(
    asked.seed === null
      ? sha256(utf8('potluck request seed'), fromHex(requestHash))
      : sha256(utf8(`potluck seed ${asked.seed}`)),
  )
}

async function* sse(
  deps: RouteDeps,
  head: AnswerHead,
  includeUsage: boolean,
  events: AsyncGenerator<StreamEvent, void>,
  markDelivered: (id: string) => void,
): AsyncGenerator<string> {
  const data = (value: unknown, event?: string): string =>
    `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(value)}\n\n`
  let isFirst = true
  try {
    for await (const event of events) {
      if (event.kind === 'due') {
        yield data(event.quote, 'potluck.due')
        continue
      }
      if (event.kind === 'text') {
        yield data(answerChunk(head, { text: event.text, isFirst, finish: null }, includeUsage))
        isFirst = false
        continue
      }
      yield data(answerChunk(head, { text: '', isFirst, finish: event.finish }, includeUsage))
      if (includeUsage) yield data(usageChunk(head, event))
      deps.metrics.add('potluck_tokens_total', 'Tokens delivered.', { model: head.model }, event.completionTokens)
      markDelivered(event.callId)
      yield 'data: [DONE]\n\n'
    }
  } catch (error) {
    const told = toApiError(error)
    if (told.code === 'internal') deps.onError(error)
    yield data(told.body, 'error')
  }
}
