import {
  channelIdOf,
  decodeApiKey,
  decodeChannelHeader,
  decodeVoucherHeader,
  requestHash,
  type SignedVoucher,
  toHex,
} from '@potluck/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from './ApiError.ts'
import type { ChannelLedger } from './ChannelLedger.ts'
import type { ChannelViews } from './ChannelViews.ts'
import type { Visit } from './Desk.ts'
import type { GatewayConfig } from './gatewayConfig.ts'
import type { ServedModel } from './ModelBook.ts'
import type { PaymentStore } from './PaymentStore.ts'
import type { Payer } from './Till.ts'

type Deps = {
  config: GatewayConfig
  ledger: ChannelLedger
  views: ChannelViews
  store: PaymentStore
  randomBytes: (length: number) => Uint8Array
}

const MAX_KEY_CHARS = 200

/** From an HTTP request to a visit: who pays, which call it is, how many run beside it, and until when. */
export class Reception {
  readonly #deps: Deps
  readonly #running = new Map<string, number>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Throws ApiError: no or a bad key, an unfit channel, too many requests at once. */
  async receive(request: FastifyRequest, reply: FastifyReply, model: ServedModel): Promise<Visit> {
    const gone = new AbortController()
    const atEnd: (() => void)[] = []
    let isOver = false
    const onEnd = (work: () => void): void => {
      if (isOver) work()
      else atEnd.push(work)
    }
    reply.raw.on('close', () => {
      isOver = true
      gone.abort()
      for (const work of atEnd) work()
    })
    const { payer, offered } = await this.#payer(request.headers)
    this.#admit(payer, onEnd)
    const timeout = AbortSignal.timeout(this.#deps.config.requestTimeoutMs)
    const path = request.url.split('?')[0] ?? ''
    const idempotencyKey = header(request.headers, 'idempotency-key')?.slice(0, MAX_KEY_CHARS) ?? null
    const call = {
      id: toHex(this.#deps.randomBytes(16)).slice(2),
      requestHash: requestHash(path, request.body),
      ...{ idempotencyKey, version: model.version, modelDigest: model.digest },
    }
    reply.header('potluck-request-hash', call.requestHash)
    return { payer, offered, call, signal: AbortSignal.any([gone.signal, timeout]), onEnd }
  }

  async #payer(headers: FastifyRequest['headers']): Promise<{ payer: Payer; offered: SignedVoucher | undefined }> {
    const voucherText = header(headers, 'potluck-voucher')
    const channelText = header(headers, 'potluck-channel')
    const offered = voucherText === undefined ? undefined : decodeVoucherHeader(voucherText)
    const known = offered && this.#deps.store.channel(offered.channelId)
    const config = channelText === undefined ? known : decodeChannelHeader(channelText)
    if (config !== undefined) {
      const lane = offered?.lane ?? laneOf(header(headers, 'potluck-lane'))
      const { chainId, channels } = this.#deps.ledger
      const channelId = channelIdOf(chainId, channels, config)
      if (offered && offered.channelId !== channelId) {
        const place = `chain ${chainId}, contract ${channels}`
        const seen = `the voucher is for channel ${offered.channelId}`
        throw new ApiError('voucher_other_channel', `${seen}; on ${place} the channel of this request is ${channelId}`)
      }
      return { payer: { open: await this.#deps.views.of(config, lane), key: null }, offered }
    }
    if (offered) throw new ApiError('channel_unknown', 'send the channel of the voucher in the header potluck-channel')
    const authorization = header(headers, 'authorization')
    if (authorization === undefined) throw this.#terms()
    const key = decodeApiKey(authorization.replace(/^Bearer +/i, ''))
    return { payer: { open: await this.#deps.views.ofKey(key), key }, offered: undefined }
  }

  #admit({ open }: Payer, onEnd: Visit['onEnd']): void {
    const name = `${open.channelId}:${open.lane}`
    const running = this.#running.get(name) ?? 0
    const limit = this.#deps.config.concurrentPerKey
    if (running >= limit) {
      throw new ApiError(
        'rate_limit_exceeded',
        `${running} requests of this key are at work, ${limit} may: wait for one`,
      )
    }
    this.#running.set(name, running + 1)
    onEnd(() => {
      const left = (this.#running.get(name) ?? 1) - 1
      if (left === 0) this.#running.delete(name)
      else this.#running.set(name, left)
    })
  }

  /** What a caller without an account is told: where to open a channel, and what things cost. */
  #terms(): ApiError {
    const { config, ledger } = this.#deps
    const { operator, token, minWithdrawDelaySeconds, prices } = config
    const terms = { chainId: ledger.chainId, channels: ledger.channels, operator, token, minWithdrawDelaySeconds }
    const units = (values: Record<string, bigint>) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
    const message = 'send an API key as bearer token, or open a channel on these terms and send it as potluck-channel'
    return new ApiError('payment_required', message, { extra: { potluck: { terms, prices: units(prices) } } })
  }
}

function header(headers: FastifyRequest['headers'], name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

function laneOf(text: string | undefined): number {
  const lane = Number(text ?? '0')
  if (Number.isSafeInteger(lane) && lane >= 0 && lane <= 0xffff_ffff) return lane
  throw new ApiError('bad_channel_header', `potluck-lane is a whole number from 0 to 4294967295, got ${text}`)
}
