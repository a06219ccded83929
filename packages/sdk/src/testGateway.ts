/**
 * A gateway in a few lines, for tests: one lane, answers made of the prompt, prices by the character, vouchers checked as the contract does.
 * What it does wrong is chosen from outside: lost answers, false quotes, broken streams.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Allocation,
  addressOfSecret,
  allocationHash,
  channelIdOf,
  channelsDomain,
  decodeChannelHeader,
  decodeVoucherHeader,
  type Eip712Domain,
  fromHex,
  type Hex,
  type Quote,
  quoteJson,
  recoverSigner,
  requestHash,
  type SignedVoucher,
  toHex,
  voucherDigest,
} from '@potluck/protocol'

export const CHAIN_ID = 31_337
export const CHANNELS: Hex = `0x${'cc'.repeat(20)}`
export const VERSION = 12
const STEP_CHARACTERS = 4

type Call = { text: string; told: number; done: boolean }
type Lane = { accepted: bigint; spent: bigint; runFrom: bigint; run: Hex | '' }

export class TestGateway {
  readonly lane: Lane = { accepted: 0n, spent: 0n, runFrom: 0n, run: '' }
  readonly taken: SignedVoucher[] = []
  readonly domain: Eip712Domain
  requests = 0
  provider: Hex = `0x${'01'.repeat(20)}`
  version = VERSION
  /** Changes a quote before it is sent. */
  tamper: (quote: Quote) => Quote = (quote) => quote
  /** Answers to lose after the voucher was taken; in a stream, steps after which the connection breaks. */
  lose = 0
  readonly #signer: Hex
  readonly #calls = new Map<string, Call>()
  #waiting: { requestHash: Hex; due: () => Quote; resolve: (voucher: SignedVoucher) => void } | undefined
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  constructor(secret: Uint8Array, channels = CHANNELS) {
    this.#signer = addressOfSecret(secret)
    this.domain = channelsDomain(CHAIN_ID, channels)
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  allocation(): Allocation {
    const gateway: Hex = `0x${'02'.repeat(20)}`
    return { version: this.version, provider: this.provider, providerShare: 300_000, gateway, gatewayShare: 100_000 }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    this.requests += 1
    const path = request.url ?? ''
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    }
    if (request.method === 'GET') return this.#get(path, json)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = JSON.parse(Buffer.concat(chunks).toString())
    const header = request.headers['potluck-voucher']
    const voucher = typeof header === 'string' ? decodeVoucherHeader(header) : undefined
    const config = decodeChannelHeader(String(request.headers['potluck-channel']))
    const place = {
      channelId: channelIdOf(CHAIN_ID, this.domain.verifyingContract, config),
      lane: Number(request.headers['potluck-lane']),
    }
    const refuse = (code: string, quote: Quote) =>
      json(402, { error: { code, message: `${quote.due} is due` }, potluck: quoteJson(this.tamper(quote)) })

    if (path === '/potluck/vouchers' && voucher) {
      if (this.taken.some((known) => known.signature === voucher.signature)) return json(200, {})
      const quote = this.#waiting?.due()
      if (!quote || !this.#waiting) return json(404, { error: { code: 'no_open_call', message: 'no stream waits' } })
      const code = this.#fault(voucher, quote)
      if (code) return refuse(code, quote)
      this.#take(voucher, quote)
      this.#waiting.resolve(voucher)
      return json(200, {})
    }
    const hash = requestHash(path, body)
    const text = path.endsWith('/infer') ? '[0.5]' : `re: ${body.prompt ?? body.messages.at(-1).content}`
    const paidBefore = voucher && this.#calls.get(voucher.signature)
    const call = paidBefore ?? { text, told: 0, done: false }
    const quoteFor = (price: bigint): Quote => this.#quote(place, hash, price)
    if (!paidBefore) {
      const first = body.stream ? Math.min(STEP_CHARACTERS, text.length) : text.length
      const quote = quoteFor(BigInt(first))
      if (!voucher) return refuse('payment_required', quote)
      const code = this.#fault(voucher, quote)
      if (code) return refuse(code, quote)
      this.#take(voucher, quote)
      this.#calls.set(voucher.signature, call)
      call.told = first
      if (this.lose > 0 && !body.stream) {
        this.lose -= 1
        return request.socket.destroy()
      }
    }
    if (!body.stream) return json(200, this.#whole(path, body.model, call.text))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const say = (event: string, data: unknown) =>
      response.write(`${event === '' ? ': hello\n' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`)
    const chunk = (part: string, finish: string | null) =>
      say('', { choices: [{ index: 0, text: part, finish_reason: finish }] })
    chunk(call.text.slice(0, call.told), null)
    while (call.told < call.text.length) {
      if (this.lose > 0) {
        this.lose -= 1
        return setTimeout(() => request.socket.destroy(), 10)
      }
      const next = Math.min(STEP_CHARACTERS, call.text.length - call.told)
      const paid = new Promise<SignedVoucher>((resolve) => {
        this.#waiting = { requestHash: hash, due: () => quoteFor(BigInt(next)), resolve }
      })
      say('potluck.due', quoteJson(this.tamper(quoteFor(BigInt(next)))))
      const given = await paid
      this.#waiting = undefined
      this.#calls.set(given.signature, call)
      chunk(call.text.slice(call.told, call.told + next), null)
      call.told += next
    }
    chunk('', 'stop')
    return response.end('data: [DONE]\n\n')
  }

  #get(path: string, json: (status: number, value: unknown) => unknown): unknown {
    if (path.startsWith('/v2/models/')) return json(200, { versions: [String(this.version)] })
    if (path === '/v1/models') return json(200, { data: [{ id: 'shakespeare' }] })
    if (this.taken.length === 0 && this.lane.accepted === 0n) return json(404, { error: { code: 'not_found' } })
    return json(200, { lanes: [{ lane: 0, accepted: String(this.lane.accepted), spent: String(this.lane.spent) }] })
  }

  #quote(place: { channelId: Hex; lane: number }, hash: Hex, price: bigint): Quote {
    const allocation = this.allocation()
    const allocated = allocationHash(allocation)
    const same = this.lane.run === allocated
    const due = (same ? this.lane.spent : this.lane.accepted) + price
    const from = same ? this.lane.runFrom : this.lane.accepted
    return { ...place, requestHash: hash, from, due, allocation, allocationHash: allocated, domain: this.domain }
  }

  #fault(voucher: SignedVoucher, quote: Quote): string | undefined {
    if (recoverSigner(voucherDigest(this.domain, voucher), fromHex(voucher.signature)) !== this.#signer)
      return 'voucher_wrong_signer'
    if (voucher.channelId !== quote.channelId || voucher.lane !== quote.lane) return 'voucher_other_channel'
    if (voucher.requestHash !== quote.requestHash) return 'voucher_other_request'
    if (voucher.allocationHash !== quote.allocationHash) return 'voucher_other_allocation'
    if (voucher.from !== quote.from) return 'voucher_wrong_from'
    if (voucher.cumulative < quote.due) return 'voucher_too_small'
    return undefined
  }

  #take(voucher: SignedVoucher, quote: Quote): void {
    this.taken.push(voucher)
    Object.assign(this.lane, {
      accepted: voucher.cumulative,
      spent: quote.due,
      runFrom: quote.from,
      run: quote.allocationHash,
    })
  }

  #whole(path: string, model: string, text: string) {
    if (path.endsWith('/infer'))
      return { model_name: model, outputs: [{ name: 'risk', shape: [1], datatype: 'FP64', data: [0.5] }] }
    const choice = path.includes('chat') ? { message: { role: 'assistant', content: text } } : { text }
    return { id: toHex(new Uint8Array(4)), model, choices: [{ index: 0, ...choice, finish_reason: 'stop' }] }
  }
}
