import { type Hex, type SignedVoucher, toHex, voucherDigest } from '@potluck/protocol'
import { ApiError } from './ApiError.ts'
import { type AnswerStep, answerSteps } from './answerSteps.ts'
import type { GatewayConfig, Prices } from './gatewayConfig.ts'
import { type Answer, HeldAnswers } from './HeldAnswers.ts'
import type { PaymentStore } from './PaymentStore.ts'
import type { ProviderPool, TextOrder } from './ProviderPool.ts'
import { type CallRecord, FORGOTTEN } from './paymentRecords.ts'
import type { Payer, Step, Till } from './Till.ts'
import { WaitingStreams } from './WaitingStreams.ts'

/** One request on its way: who pays, what was asked, and what to do once the connection is over. */
export type Visit = {
  payer: Payer
  offered: SignedVoucher | undefined
  call: Step['call']
  signal: AbortSignal
  /** Runs when the connection is over, whatever became of the answer. */
  onEnd: (work: () => void) => void
}

export type StreamEvent =
  | { kind: 'text'; text: string }
  /** Nothing more comes until the quote is paid. */
  | { kind: 'due'; quote: unknown }
  | { kind: 'end'; callId: string; finish: string; promptTokens: number; completionTokens: number }

export type Served = { callId: string; answer: Answer }

type Deps = { config: GatewayConfig; store: PaymentStore; till: Till; pool: ProviderPool; nowMs: () => number }

/**
 * Serves answers for money: nothing leaves before its voucher is on disk with the text it pays for (G-14, G-18).
 *
 * An answer is a function of its request, so whatever is lost between payment and delivery is made again and is the same: a caller that
 * repeats a request with its voucher, or with its API key, gets what was paid for and pays nothing twice.
 */
export class Desk {
  readonly #deps: Deps
  readonly #held: HeldAnswers
  readonly waiting = new WaitingStreams()
  /** Calls that a connection of this process is at work on. */
  readonly active = new Set<string>()

  constructor(deps: Deps) {
    this.#deps = deps
    this.#held = new HeldAnswers(deps.config.unpaidPerChannel, deps.config.unpaidMs, deps.nowMs)
  }

  /** A whole answer, paid for. `most` is the highest price it can have. */
  async serve(
    visit: Visit,
    make: (prefer: Hex | undefined) => Promise<Answer>,
    price: (answer: Answer) => bigint,
    most: bigint,
  ): Promise<Served> {
    const paid = this.#paidBefore(visit)
    if (paid?.finish != null) return { callId: this.#enter(visit, paid.id), answer: answerOf(paid) }
    this.#enter(visit, visit.call.id)
    const { payer, offered, call, signal } = visit
    if (payer.key) visit.onEnd(await this.#deps.till.reserve(payer, most))
    const answer = payer.key ? await make(undefined) : await this.#madeOrHeld(visit, make)
    signal.throwIfAborted()
    const allocation = this.#deps.pool.allocation(call.version, answer.provider)
    const { text, promptTokens, completionTokens, finish } = answer
    const step = { call, allocation, price: price(answer), text, promptTokens, completionTokens, finish }
    try {
      await this.#deps.till.take(payer, step, offered)
    } catch (error) {
      // The same request with the same voucher may have been served on another connection meanwhile.
      const meanwhile = offered && this.#paidBefore(visit)
      if (meanwhile?.finish == null) throw error
      return { callId: this.#enter(visit, meanwhile.id), answer: answerOf(meanwhile) }
    }
    this.#held.drop(heldKey(visit))
    return { callId: call.id, answer }
  }

  /** An answer in paid steps. Resolves once the first step is paid, so that a refusal can still be a plain HTTP answer. */
  async stream(
    visit: Visit,
    order: TextOrder,
    promptTokens: number,
    prices: Prices,
    most: bigint,
  ): Promise<AsyncGenerator<StreamEvent, void>> {
    const { payer, signal } = visit
    const { pool, config, store, till } = this.#deps
    const before = this.#paidBefore(visit)
    if (before?.finish != null) {
      this.#enter(visit, before.id)
      return replay(before, before.finish)
    }
    const call = { ...visit.call, id: before?.id ?? visit.call.id }
    this.#enter(visit, call.id)
    const release = payer.key ? await till.reserve(payer, most) : () => undefined
    visit.onEnd(release)
    const passed = before?.text ?? ''
    const prefer = pool.providerOf(call.version, visit.offered?.allocationHash)
    const steps = answerSteps(pool, order, config.stepTokens, { passed, prefer, signal })
    const toStep = (step: AnswerStep, isFirst: boolean): Step => {
      const prompt = isFirst ? promptTokens : 0
      return {
        ...{ call, allocation: pool.allocation(call.version, step.provider), finish: step.finish },
        ...{ text: step.text, promptTokens: prompt, completionTokens: step.tokens },
        price: BigInt(prompt) * prices.prompt + BigInt(step.tokens) * prices.completion,
      }
    }
    const pay = async (step: Step, offered: SignedVoucher | undefined, mayUseCredit: boolean): Promise<void> => {
      await till.take(payer, step, offered, mayUseCredit)
      release(step.price)
    }
    const first = before ? undefined : (await steps.next()).value
    const paidFirst = first && toStep(first, true)
    if (paidFirst) await pay(paidFirst, visit.offered, false)

    const rest = async function* (this: Desk): AsyncGenerator<StreamEvent, void> {
      try {
        if (passed !== '') yield { kind: 'text', text: passed }
        if (paidFirst && paidFirst.text !== '') yield { kind: 'text', text: paidFirst.text }
        let ended = paidFirst?.finish ?? null
        while (ended === null) {
          const next = await steps.next()
          if (next.done) break
          const step = toStep(next.value, false)
          yield* this.#paidOrWaiting(visit, step, pay)
          if (step.text !== '') yield { kind: 'text', text: step.text }
          ended = step.finish
        }
        const done = store.call(call.id)
        const finish = ended ?? 'length'
        const counts = {
          promptTokens: done?.promptTokens ?? promptTokens,
          completionTokens: done?.completionTokens ?? 0,
        }
        yield { kind: 'end', callId: call.id, finish, ...counts }
      } finally {
        await steps.return()
      }
    }
    return rest.call(this)
  }

  /** Takes payment for a step, asking for it and waiting when there is no voucher yet. */
  async *#paidOrWaiting(
    visit: Visit,
    step: Step,
    pay: (step: Step, offered: SignedVoucher | undefined, mayUseCredit: boolean) => Promise<void>,
  ): AsyncGenerator<StreamEvent, void> {
    try {
      await pay(step, undefined, true)
      return
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'payment_required') throw error
      const timeout = AbortSignal.timeout(this.#deps.config.voucherTimeoutMs)
      const signal = AbortSignal.any([visit.signal, timeout])
      const paid = this.waiting.wait(
        visit.payer.open,
        step.call.requestHash,
        (voucher) => pay(step, voucher, false),
        signal,
      )
      // Awaited below; until then a rejection must not count as unhandled.
      paid.catch(() => undefined)
      yield { kind: 'due', quote: error.extra.potluck }
      try {
        await paid
      } catch (late) {
        if (!timeout.aborted) throw late
        const waited = `no voucher came within ${this.#deps.config.voucherTimeoutMs} ms`
        throw new ApiError(
          'voucher_timeout',
          `${waited}: nothing more is owed; repeat the request with your last voucher to go on`,
        )
      }
    }
  }

  /**
   * The call that this request has paid for already: by its voucher, by its idempotency key, or because an earlier connection of the same
   * API key ended between payment and delivery.
   */
  #paidBefore({ payer, offered, call }: Visit): CallRecord | undefined {
    const { store, till } = this.#deps
    const { channelId, lane } = payer.open
    if (payer.key) {
      const earlier = store.callsOfRequest(channelId, lane, call.requestHash)
      const calls = earlier.filter(({ id, finish }) => finish !== FORGOTTEN && !this.active.has(id))
      const named = calls.find((item) => item.idempotencyKey !== null && item.idempotencyKey === call.idempotencyKey)
      return named ?? calls.find((item) => !item.isDelivered)
    }
    const found = offered && store.callOfVoucher(toHex(voucherDigest(till.domain, offered)))
    // The digest names channel, lane and request, so nobody but who knows the whole voucher gets here.
    if (found === undefined || found.requestHash !== call.requestHash) return undefined
    if (found.finish === null && this.active.has(found.id)) {
      throw new ApiError('voucher_reused', `the answer this voucher pays for is being delivered on another connection`)
    }
    if (found.finish === FORGOTTEN) {
      throw new ApiError(
        'voucher_reused',
        `the answer this voucher paid for is not kept any more: ask anew without the voucher`,
      )
    }
    return found
  }

  async #madeOrHeld(visit: Visit, make: (prefer: Hex | undefined) => Promise<Answer>): Promise<Answer> {
    const { payer, offered, call } = visit
    const key = heldKey(visit)
    const held = this.#held.get(key)
    if (held) return held
    const isSigned = offered !== undefined && this.#deps.till.isSigned(payer.open, call.requestHash, offered)
    if (!isSigned) this.#held.begin(key, payer.open.channelId)
    try {
      const answer = await make(this.#deps.pool.providerOf(call.version, offered?.allocationHash))
      this.#held.keep(key, payer.open.channelId, answer)
      return answer
    } catch (error) {
      this.#held.drop(key)
      throw error
    }
  }

  #enter(visit: Visit, callId: string): string {
    this.active.add(callId)
    visit.onEnd(() => this.active.delete(callId))
    return callId
  }
}

const heldKey = ({ payer, call }: Visit): string => `${payer.open.channelId}:${payer.open.lane}:${call.requestHash}`

const answerOf = (call: CallRecord): Answer => ({
  text: call.text,
  promptTokens: call.promptTokens,
  completionTokens: call.completionTokens,
  provider: '0x',
  finish: call.finish ?? 'length',
})

async function* replay(call: CallRecord, finish: string): AsyncGenerator<StreamEvent, void> {
  if (call.text !== '') yield { kind: 'text', text: call.text }
  const { promptTokens, completionTokens } = call
  yield { kind: 'end', callId: call.id, finish, promptTokens, completionTokens }
}
