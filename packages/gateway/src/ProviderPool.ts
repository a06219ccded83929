import { type Allocation, allocationHash, type Hex } from '@potluck/protocol'
import { Agent, request } from 'undici'
import { ApiError } from './ApiError.ts'
import type { GatewayConfig } from './gatewayConfig.ts'
import {
  type GenerateOrder,
  generateLine,
  type PredictOrder,
  type ProviderModel,
  predictAnswer,
  providerModels,
  signOrder,
} from './provider/providerMessages.ts'

export type ProviderEntry = { node: Hex; url: string; versions: readonly number[] }

type Added = 'allocation' | 'gateway' | 'atMs'
export type TextOrder = Omit<GenerateOrder, 'kind' | Added>
export type RowsOrder = Omit<PredictOrder, 'kind' | Added>
type Asked = Omit<GenerateOrder, Added> | Omit<PredictOrder, Added>

export type TextEvent = ({ token: string } | { done: 'stop' | 'length' }) & { provider: Hex }

type Deps = {
  config: GatewayConfig
  nodeSecret: Uint8Array
  nodeKey: Hex
  listProviders: () => readonly ProviderEntry[]
  nowMs: () => number
  onError: (error: unknown) => void
}

const CONNECT_TIMEOUT_MS = 2_000
// The answer to `GET /provider/models` is asked again this often.
const MODELS_CACHE_MS = 10_000
const MAX_ANSWER_BYTES = 8_000_000

/**
 * Providers as one source of answers: when one fails, the next goes on where it stopped (G-24).
 *
 * Answers are functions of their order, so the next provider's tokens are those the first would have given; what was already passed on is
 * skipped after it was compared. A provider whose tokens differ is left as if it had failed.
 */
export class ProviderPool {
  readonly #deps: Deps
  readonly #agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, connections: 64 })
  readonly #models = new Map<string, { atMs: number; models: ProviderModel[] }>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  /** Where the money of a use of `version` goes when this provider serves it. */
  allocation(version: number, provider: Hex): Allocation {
    const { providerShare, gateway, gatewayShare } = this.#deps.config
    return { version, provider, providerShare, gateway, gatewayShare }
  }

  /** The provider that an allocation of `version` names, when it still serves. */
  providerOf(version: number, hash: Hex | undefined): Hex | undefined {
    const serving = this.#deps.listProviders().filter((provider) => provider.versions.includes(version))
    return serving.find(({ node }) => allocationHash(this.allocation(version, node)) === hash)?.node
  }

  versions(): Set<number> {
    return new Set(this.#deps.listProviders().flatMap((provider) => [...provider.versions]))
  }

  /** What a model takes and gives, as one of its providers says. Throws ApiError `no_provider`. */
  async describe(version: number, signal: AbortSignal): Promise<ProviderModel> {
    return this.#first(version, undefined, async (provider) => {
      const known = this.#models.get(provider.url)
      const found = known?.models.find((model) => model.version === version)
      if (known && found && this.#deps.nowMs() - known.atMs < MODELS_CACHE_MS) return found
      const response = await request(`${provider.url}/provider/models`, { dispatcher: this.#agent, signal })
      const { models } = providerModels.parse(JSON.parse(await readBody(response.body)))
      this.#models.set(provider.url, { atMs: this.#deps.nowMs(), models })
      const model = models.find((item) => item.version === version)
      if (model === undefined) throw new Error(`${provider.url} does not serve version ${version} any more`)
      return model
    })
  }

  /** Predictions of rows, and by whom. Throws ApiError `invalid_inputs` when the model cannot take them. */
  async predict(
    order: RowsOrder,
    prefer: Hex | undefined,
    signal: AbortSignal,
  ): Promise<{ rows: number[][]; provider: Hex }> {
    return this.#first(order.version, prefer, async (provider) => {
      const response = await this.#post(provider, 'predict', { kind: 'predict', ...order }, signal)
      const { rows } = predictAnswer.parse(JSON.parse(await readBody(response)))
      if (rows.length !== order.rows.length) throw new Error(`${rows.length} rows for ${order.rows.length}`)
      return { rows, provider: provider.node }
    })
  }

  /** The tokens of an answer after the first ones, which must be `passed`; then why it ended. */
  async *generate(
    order: TextOrder,
    options: { passed: string; prefer: Hex | undefined; signal: AbortSignal },
  ): AsyncGenerator<TextEvent, void> {
    const passed = [...options.passed]
    const providers = this.#candidates(order.version, options.prefer)
    let diverged = false
    for (const provider of providers) {
      let at = 0
      try {
        for await (const event of this.#stream(provider, order, options.signal)) {
          if ('done' in event) {
            if (at < passed.length) throw new Divergence(provider.url, at)
            yield { done: event.done, provider: provider.node }
            return
          }
          const index = at++
          if (index < passed.length) {
            if (passed[index] !== event.token) throw new Divergence(provider.url, index)
            continue
          }
          passed.push(event.token)
          yield { token: event.token, provider: provider.node }
        }
        throw new Error(`${provider.url} ended its answer after ${at} tokens without saying so`)
      } catch (error) {
        options.signal.throwIfAborted()
        if (error instanceof ApiError) throw error
        diverged ||= error instanceof Divergence
        this.#deps.onError(error)
      }
    }
    if (diverged)
      throw new ApiError(
        'provider_diverged',
        'a provider gave another answer to the same request: nothing more is owed',
      )
    throw new ApiError(
      'provider_failed',
      `all ${providers.length} providers of version ${order.version} failed: try again`,
    )
  }

  /** Providers of a version, the preferred one first. */
  #candidates(version: number, prefer: Hex | undefined): ProviderEntry[] {
    const serving = this.#deps.listProviders().filter((provider) => provider.versions.includes(version))
    if (serving.length === 0) {
      throw new ApiError('no_provider', `no provider serves version ${version} now: try again in a minute`)
    }
    return [...serving.filter((p) => p.node === prefer), ...serving.filter((p) => p.node !== prefer)]
  }

  async #first<T>(version: number, prefer: Hex | undefined, ask: (provider: ProviderEntry) => Promise<T>): Promise<T> {
    const providers = this.#candidates(version, prefer)
    for (const provider of providers) {
      try {
        return await ask(provider)
      } catch (error) {
        if (
          error instanceof ApiError ||
          (error as Error).name === 'AbortError' ||
          (error as Error).name === 'TimeoutError'
        )
          throw error
        this.#deps.onError(error)
      }
    }
    throw new ApiError('provider_failed', `all ${providers.length} providers of version ${version} failed: try again`)
  }

  async #post(provider: ProviderEntry, route: string, asked: Asked, signal: AbortSignal) {
    const { nodeKey, nodeSecret, nowMs } = this.#deps
    const allocation = this.allocation(asked.version, provider.node)
    const order = signOrder({ ...asked, allocation, gateway: nodeKey, atMs: nowMs() }, nodeSecret)
    const response = await request(`${provider.url}/provider/${route}`, {
      dispatcher: this.#agent,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(order),
      signal,
    })
    if (response.statusCode === 200) return response.body
    const said = await readBody(response.body)
    // The model itself finds fault with the input: no other provider would see it otherwise.
    if (response.statusCode === 400 && said.includes('"BAD_INPUTS"')) {
      throw new ApiError('invalid_inputs', messageOf(said), { param: 'inputs' })
    }
    throw new Error(`${provider.url} answered ${response.statusCode}: ${said.slice(0, 300)}`)
  }

  async *#stream(provider: ProviderEntry, order: TextOrder, signal: AbortSignal) {
    const body = await this.#post(provider, 'generate', { kind: 'generate', ...order }, signal)
    let rest = ''
    body.setEncoding('utf8')
    for await (const chunk of body) {
      const parts = (rest + String(chunk)).split('\n')
      rest = parts.pop() ?? ''
      if (rest.length > 10_000) throw new Error(`${provider.url} sent a line of more than 10000 characters`)
      for (const part of parts) {
        const line = generateLine.parse(JSON.parse(part))
        if ('error' in line) throw new Error(`${provider.url}: ${line.error.code}`)
        yield line
      }
    }
  }
}

class Divergence extends Error {
  constructor(url: string, at: number) {
    super(`${url} gave another token than was delivered, at ${at}`)
  }
}

function messageOf(said: string): string {
  try {
    const parsed: unknown = JSON.parse(said)
    const error = typeof parsed === 'object' && parsed !== null && 'error' in parsed ? parsed.error : undefined
    if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message).slice(0, 500)
    return 'the model cannot take these inputs'
  } catch {
    // Not JSON: the provider's words are not worth passing on.
    return 'the model cannot take these inputs'
  }
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    parts.push(part)
    size += part.length
    if (size > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`)
  }
  return Buffer.concat(parts).toString('utf8')
}
