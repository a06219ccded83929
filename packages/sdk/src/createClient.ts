import { PotluckError, type Quote, quoteSchema, requestHash } from '@potluck/protocol'
import type {
  ChatBody,
  ChatChunk,
  ChatCompletion,
  Completion,
  CompletionBody,
  CompletionChunk,
  InferAnswer,
  InferBody,
  Paid,
} from './answers.ts'
import { dropText, textOf } from './dropText.ts'
import { type Fetch, field, gatewayHttp, refusalIn, refusalOf, refused } from './gatewayHttp.ts'
import { type Deliver, LanePayer, type PaidCall, type PayingLane } from './LanePayer.ts'
import { type LaneMemory, processMemory } from './laneMemory.ts'
import { sseEvents } from './sseEvents.ts'

export type ClientOptions = {
  /** Address of the gateway, with or without /v1. */
  baseUrl: string
  /** Where the money comes from: `wallet.payFrom(channel)`, or a lane with its delegate's secret. */
  lane: PayingLane
  /** The most one call may cost, in token units. */
  maxPrice: bigint
  /** Asset versions of models, by name: a quote for another is refused. A name that is not here is asked of the gateway, once. */
  versions?: Record<string, number>
  /** Where the lane's record is kept; in this process when left out, which suits a lane that was never used before. */
  memory?: LaneMemory
  signedUpTo?: bigint
  claimedOf?: () => Promise<bigint>
  fetch?: Fetch
}

export type CallOptions = { maxPrice?: bigint; signal?: AbortSignal }

export type Client = {
  /** Ids of the models served now; `potluck/<version>` names one version for good. */
  models: (signal?: AbortSignal) => Promise<string[]>
  completions: Route<CompletionBody, Completion, CompletionChunk>
  chat: Route<ChatBody, ChatCompletion, ChatChunk>
  /** Open Inference Protocol, version 2: one tensor a column. */
  predict: (model: string, body: InferBody, options?: CallOptions) => Promise<Paid<InferAnswer>>
}

/** With `stream: true` an async iterator of chunks, else the whole answer. Leaving the iterator ends the call; what came is paid. */
export type Route<B, Whole, Chunk> = {
  (body: B & { stream?: false }, options?: CallOptions): Promise<Paid<Whole>>
  (body: B & { stream: true }, options?: CallOptions): AsyncGenerator<Chunk, void>
}

const MAX_RESUMES = 4
const RESUME_PAUSE_MS = 200

/**
 * A client of one gateway that signs a voucher for each call, so that nothing is paid in advance and nobody holds its money.
 *
 * Calls may run in parallel; their payments follow one another. Throws what `LanePayer.pay` does, and GATEWAY_REFUSED with the gateway's
 * code in `facts.code`.
 */
export function createClient(options: ClientOptions): Client {
  const { lane, signedUpTo, claimedOf } = options
  const http = gatewayHttp(options.baseUrl, lane, options.fetch ?? ((url, init) => fetch(url, init)))
  const payer = new LanePayer({ lane, http, memory: options.memory ?? processMemory(), signedUpTo, claimedOf })
  const asked = new Map<string, number>()

  async function versionOf(model: string, signal?: AbortSignal): Promise<number> {
    const alias = /^potluck\/([1-9]\d{0,15})$/.exec(model)
    const pinned = alias ? Number(alias[1]) : (options.versions?.[model] ?? asked.get(model))
    if (pinned !== undefined) return pinned
    const response = await http.get(`/v2/models/${encodeURI(model)}`, signal)
    if (!response.ok) throw refused(await refusalOf(response))
    const versions = field(await response.json(), 'versions')
    const version = Number(Array.isArray(versions) ? versions[0] : undefined)
    if (!Number.isSafeInteger(version) || version < 1) {
      throw new PotluckError('MODEL_UNKNOWN', `the gateway names no version of ${model}: name one in \`versions\``, {
        model,
      })
    }
    asked.set(model, version)
    return version
  }

  async function begin(path: string, model: string, given: unknown, { maxPrice, signal }: CallOptions) {
    // What is hashed is what the gateway parses: fields that JSON drops are dropped before.
    const body: unknown = JSON.parse(JSON.stringify(given))
    const version = await versionOf(model, signal)
    const call: PaidCall = {
      ...{ requestHash: requestHash(path, body), version, maxPrice: maxPrice ?? options.maxPrice },
      ...{ paid: 0n, voucher: undefined },
    }
    return { body, call }
  }

  /** Asks without money first; with the quote that comes back, pays. Resolves with what `read` makes of the answer. */
  async function paid<T>(
    path: string,
    body: unknown,
    call: PaidCall,
    read: (response: Response) => Promise<T>,
    signal?: AbortSignal,
  ) {
    const response = await http.post(path, body, undefined, signal)
    if (response.ok) return read(response)
    const refusal = await refusalOf(response)
    if (!refusal.quote) throw refused(refusal)
    const deliver: Deliver<T> = async (voucher) => {
      const answer = await http.post(path, body, voucher, signal)
      if (!answer.ok) return { ok: false, refusal: await refusalOf(answer) }
      return { ok: true, value: await read(answer) }
    }
    return payer.pay(call, refusal.quote, deliver, signal)
  }

  async function whole<T extends object>(
    path: string,
    model: string,
    given: unknown,
    callOptions: CallOptions,
  ): Promise<Paid<T>> {
    const { body, call } = await begin(path, model, given, callOptions)
    const answer = await paid(path, body, call, async (response) => (await response.json()) as T, callOptions.signal)
    return { ...answer, potluck: { paid: String(call.paid), requestHash: call.requestHash } }
  }

  async function payStep(call: PaidCall, quote: Quote, signal?: AbortSignal): Promise<void> {
    const deliver: Deliver<undefined> = async (voucher) => {
      const response = await http.post('/potluck/vouchers', { requestHash: call.requestHash }, voucher, signal)
      if (!response.ok) return { ok: false, refusal: await refusalOf(response) }
      await response.arrayBuffer()
      return { ok: true, value: undefined }
    }
    await payer.pay(call, quote, deliver, signal)
  }

  /** The chunks of one connection, paying as it goes. @returns whether the answer came to its end */
  async function* chunks<C>(response: Response, call: PaidCall, signal?: AbortSignal): AsyncGenerator<C, boolean> {
    for await (const { event, data } of sseEvents(response.body ?? new ReadableStream())) {
      if (data === '[DONE]') return true
      const value: unknown = JSON.parse(data)
      if (event === 'potluck.due') await payStep(call, quoteSchema.parse(value), signal)
      else if (event === 'error') throw refused(refusalIn(value, response.status))
      else yield value as C
    }
    return false
  }

  /** Goes on after a broken connection with the last voucher: the gateway tells the paid part again, which is left out here. */
  async function* stream<C extends CompletionChunk | ChatChunk>(
    path: string,
    model: string,
    given: unknown,
    callOptions: CallOptions,
  ): AsyncGenerator<C, void> {
    const { signal } = callOptions
    const { body, call } = await begin(path, model, given, callOptions)
    let response = await paid(path, body, call, async (answer) => answer, signal)
    let told = 0
    for (let resumes = 0; ; resumes++) {
      try {
        let again = told
        const parts = chunks<C>(response, call, signal)
        for (let next = await parts.next(); ; next = await parts.next()) {
          if (next.done && next.value) return
          if (next.done) break
          const { length } = textOf(next.value)
          const chunk = dropText(next.value, Math.min(again, length))
          if (again === 0) told += length
          else {
            told += Math.max(0, length - again)
            again = Math.max(0, again - length)
          }
          if (chunk) yield chunk
        }
      } catch (error) {
        if (signal?.aborted || isAnswered(error)) throw error
      }
      if (resumes === MAX_RESUMES || call.voucher === undefined) {
        const message = `the stream broke off after ${told} characters, which are paid; call again for a new answer`
        throw new PotluckError('STREAM_BROKEN', message, { told }, { remedy: 'retry' })
      }
      response = await reopen(path, body, call.voucher, signal)
    }
  }

  async function reopen(path: string, body: unknown, voucher: string, signal?: AbortSignal): Promise<Response> {
    for (let repeat = 0; ; repeat++) {
      await new Promise((resolve) => setTimeout(resolve, RESUME_PAUSE_MS << repeat))
      signal?.throwIfAborted()
      try {
        const response = await http.post(path, body, voucher, signal)
        if (response.ok) return response
        const refusal = await refusalOf(response)
        if (refusal.code !== 'voucher_reused' || repeat === MAX_RESUMES) throw refused(refusal)
      } catch (error) {
        if (signal?.aborted || isAnswered(error) || repeat === MAX_RESUMES) throw error
      }
    }
  }

  function route<B extends { model: string }, W extends object, C extends CompletionChunk | ChatChunk>(path: string) {
    function call(body: B & { stream?: false }, callOptions?: CallOptions): Promise<Paid<W>>
    function call(body: B & { stream: true }, callOptions?: CallOptions): AsyncGenerator<C, void>
    function call(body: B & { stream?: boolean }, callOptions: CallOptions = {}) {
      if (body.stream) return stream<C>(path, body.model, body, callOptions)
      return whole<W>(path, body.model, body, callOptions)
    }
    return call
  }

  return {
    async models(signal) {
      const response = await http.get('/v1/models', signal)
      if (!response.ok) throw refused(await refusalOf(response))
      const data = field(await response.json(), 'data')
      return Array.isArray(data) ? data.map((item) => String(field(item, 'id'))) : []
    },
    completions: route('/v1/completions'),
    chat: route('/v1/chat/completions'),
    predict: (model, body, callOptions = {}) => whole(`/v2/models/${encodeURI(model)}/infer`, model, body, callOptions),
  }
}

/** Whether somebody said no, as opposed to nobody saying anything. */
const isAnswered = (error: unknown): boolean => error instanceof Error && 'remedy' in error
