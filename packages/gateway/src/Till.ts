import {
  type Allocation,
  type ApiKey,
  allocationHash,
  channelsDomain,
  type Eip712Domain,
  type Hex,
  type Quote,
  quoteJson,
  type SignedVoucher,
  signDigest,
  toHex,
  type Voucher,
  voucherDigest,
} from '@potluck/protocol'
import { ApiError, type ErrorCode } from './ApiError.ts'
import type { ChannelLedger } from './ChannelLedger.ts'
import type { ChannelViews, OpenLane } from './ChannelViews.ts'
import { checkVoucher } from './checkVoucher.ts'
import { type LaneTerms, laneTerms } from './laneTerms.ts'
import type { Metrics } from './metrics.ts'
import type { PaymentStore } from './PaymentStore.ts'
import type { PaidStep } from './paymentRecords.ts'

/** Who pays: an API key, which signs here and now, or a caller that brings vouchers. */
export type Payer = { open: OpenLane; key: ApiKey | null }

/** A stretch of an answer and what it costs. */
export type Step = Pick<
  PaidStep,
  'call' | 'allocation' | 'price' | 'text' | 'promptTokens' | 'completionTokens' | 'finish'
>

// A top-up, a raised cap or a new key may have lifted these since the chain was read.
const liftable: ReadonlySet<ErrorCode> = new Set([
  'voucher_beyond_deposit',
  'voucher_beyond_cap',
  'voucher_wrong_signer',
])

/** Takes the voucher for each step of an answer before the step is given out (G-12, G-15). */
export class Till {
  readonly domain: Eip712Domain
  readonly #views: ChannelViews
  readonly #store: PaymentStore
  readonly #metrics: Metrics
  readonly #reserved = new Map<string, bigint>()

  constructor(ledger: ChannelLedger, views: ChannelViews, store: PaymentStore, metrics: Metrics) {
    this.domain = channelsDomain(ledger.chainId, ledger.channels)
    this.#views = views
    this.#store = store
    this.#metrics = metrics
  }

  /**
   * Takes payment for a step and writes the step down. Throws ApiError with a fresh quote when `offered` does not pay it; with an API key,
   * `insufficient_funds`. `mayUseCredit`: for later steps of a call whose caller has shown who it is.
   */
  async take(payer: Payer, step: Step, offered: SignedVoucher | undefined, mayUseCredit = false): Promise<void> {
    // Prices are at least 1: only a step without characters is free, and it can only be the last.
    if (step.price === 0n) {
      if (step.finish !== null) this.#store.finishCall(step.call.id, step.finish)
      return
    }
    const { config, lane, channelId } = payer.open
    for (let isSecond = false; ; isSecond = true) {
      const open = await this.#views.of(config, lane, isSecond)
      // From here to the acceptance nothing waits: no other request can move the lane in between.
      const { state, terms, hash } = this.#terms(open, step)
      const quote = this.#quote(open, step, terms)
      const expected = state
      const { deposited } = open
      if (
        mayUseCredit &&
        !payer.key &&
        offered === undefined &&
        state.runAllocation === hash &&
        terms.after <= state.accepted
      ) {
        const outcome = this.#store.accept({ ...step, channelId, lane, paid: null, expected, deposited })
        if (outcome === 'accepted') return
      }
      const voucher = payer.key ? this.#sign(payer.key, step, terms) : offered
      if (voucher === undefined)
        throw this.#asking('payment_required', `${terms.due} is due in lane ${lane}: sign the quote`, quote)
      const verdict = checkVoucher(voucher, {
        ...{ domain: this.domain, channelId, lane, requestHash: step.call.requestHash, allocationHash: hash, terms },
        ...{ promised: this.#store.promised(channelId), accepted: state.accepted },
        ...{ deposited: open.deposited, cap: open.cap, signer: open.signer },
      })
      if (!verdict.ok) {
        if (liftable.has(verdict.code) && !isSecond) continue
        if (!payer.key) throw this.#asking(verdict.code, verdict.message, quote)
        throw new ApiError('insufficient_funds', verdict.message)
      }
      const paid = { voucher, digest: verdict.digest }
      const outcome = this.#store.accept({ ...step, channelId, lane, paid, expected, deposited })
      if (outcome === 'accepted') {
        this.#metrics.add('potluck_vouchers_accepted_total', 'Vouchers taken.')
        this.#metrics.add(
          'potluck_paid_units_total',
          'Token units promised for what was served.',
          {},
          Number(step.price),
        )
        return
      }
      const code =
        outcome === 'beyond-deposit'
          ? 'voucher_beyond_deposit'
          : outcome === 'stale'
            ? 'voucher_stale'
            : 'voucher_reused'
      throw this.#asking(code, `the voucher could not be taken (${outcome}): sign the quote`, quote)
    }
  }

  /** Whether a voucher is signed by whoever may sign for this lane and request: worth working for before it is paid. */
  isSigned(open: OpenLane, requestHash: Hex, voucher: SignedVoucher): boolean {
    const state = this.#store.lane(open.channelId, open.lane)
    const terms = { from: voucher.from, due: 0n, before: 0n, after: 0n }
    const { channelId, lane, deposited, cap, signer } = open
    const order = { domain: this.domain, channelId, lane, requestHash, allocationHash: voucher.allocationHash, terms }
    const accepted = state?.accepted ?? 0n
    return checkVoucher(voucher, {
      ...order,
      promised: this.#store.promised(channelId),
      accepted,
      deposited,
      cap,
      signer,
    }).ok
  }

  /**
   * Sets aside the most a call by API key may cost, so that calls side by side do not start what they cannot pay. Throws ApiError
   * `insufficient_funds`. Call the result with what was paid of it, and without a number at the end.
   */
  async reserve(payer: Payer, most: bigint): Promise<(paid?: bigint) => void> {
    const { channelId, config, lane } = payer.open
    const left = (open: OpenLane): bigint => {
      const accepted = this.#store.lane(channelId, lane)?.accepted ?? 0n
      const byDeposit = open.deposited - this.#store.promised(channelId)
      const byCap = open.cap === null ? byDeposit : open.cap - accepted
      return (byCap < byDeposit ? byCap : byDeposit) - (this.#reserved.get(channelId) ?? 0n)
    }
    let funds = left(payer.open)
    if (funds < most) funds = left(await this.#views.of(config, lane, true))
    if (funds < most) {
      const remedy = 'ask for fewer tokens, or have the payer top up the channel or raise the cap'
      throw new ApiError('insufficient_funds', `the call may cost ${most} token units, ${funds} are left: ${remedy}`)
    }
    let held = most
    const change = (by: bigint) => this.#reserved.set(channelId, (this.#reserved.get(channelId) ?? 0n) + by)
    change(held)
    return (paid) => {
      const released = paid === undefined || paid > held ? held : paid
      held -= released
      change(-released)
      if (this.#reserved.get(channelId) === 0n) this.#reserved.delete(channelId)
    }
  }

  /** The refusal of anything that a voucher for this step would mend. */
  ask(open: OpenLane, step: Step, message: string): ApiError {
    return this.#asking('payment_required', message, this.#quote(open, step, this.#terms(open, step).terms))
  }

  #terms(open: OpenLane, step: Step) {
    const state = this.#store.lane(open.channelId, open.lane)
    if (state === undefined)
      throw new Error(`lane ${open.lane} of ${open.channelId} was judged open and is not in the store`)
    const hash = allocationHash(step.allocation)
    return { state, hash, terms: laneTerms(state, hash, step.price) }
  }

  #quote(open: OpenLane, step: Step, terms: LaneTerms): Quote {
    const { channelId, lane } = open
    const { allocation } = step
    const paid = { allocation, allocationHash: allocationHash(allocation), domain: this.domain }
    return { requestHash: step.call.requestHash, channelId, lane, from: terms.from, due: terms.due, ...paid }
  }

  #asking(code: ErrorCode, message: string, quote: Quote): ApiError {
    this.#metrics.add('potluck_vouchers_asked_total', 'Answers that asked for a voucher, by code.', { code })
    return new ApiError(code, message, { extra: { potluck: quoteJson(quote) } })
  }

  #sign(key: ApiKey, step: Step, terms: LaneTerms): SignedVoucher {
    const { channelId, lane } = key
    const to: Allocation = step.allocation
    const voucher: Voucher = {
      ...{ channelId, lane, from: terms.from, cumulative: terms.due },
      ...{ requestHash: step.call.requestHash, allocationHash: allocationHash(to) },
    }
    return { ...voucher, signature: toHex(signDigest(voucherDigest(this.domain, voucher), key.secret)) }
  }
}
