/**
 * Pays for calls out of one lane: checks each quote, signs, and keeps the same voucher for as long as its outcome is unknown.
 *
 * A voucher is the idempotency key: repeating it after a lost answer brings the stored answer and never a second charge. Before a
 * voucher leaves, the memory holds what it promises.
 */
import {
  type ChannelConfig,
  channelIdOf,
  channelsDomain,
  type Eip712Domain,
  encodeVoucherHeader,
  fields as f,
  type Hex,
  PotluckError,
  type Quote,
  signDigest,
  toHex,
  voucherDigest,
} from '@potluck/protocol'
import { checkQuote } from './checkQuote.ts'
import { field, type GatewayHttp, type Refusal, refusalOf, refused } from './gatewayHttp.ts'
import type { LaneMemory, LaneRecord } from './laneMemory.ts'

/** A lane and the key that signs for it; `Wallet.payFrom` makes one. */
export type PayingLane = { config: ChannelConfig; lane: number; secret: Uint8Array; chainId: number; channels: Hex }

/** One call of ours: what it is, and what it may cost. `paid` grows as vouchers are taken; `voucher` is the last one taken. */
export type PaidCall = {
  requestHash: Hex
  version: number
  maxPrice: bigint
  paid: bigint
  voucher: string | undefined
}

/** Hands a voucher in. Resolves with what came of it; rejects when no whole answer came, and the voucher may or may not be taken. */
export type Deliver<T> = (voucherHeader: string) => Promise<{ ok: true; value: T } | { ok: false; refusal: Refusal }>

export type LanePayerOptions = {
  lane: PayingLane
  http: GatewayHttp
  memory: LaneMemory
  /** Cumulative amount known to be signed in this lane before the memory began. */
  signedUpTo?: bigint | undefined
  /** What the chain says is claimed of the lane; asked only when the gateway names more than the memory knows. */
  claimedOf?: (() => Promise<bigint>) | undefined
}

const MAX_QUOTES = 8
const MAX_REPEATS = 5
const FIRST_PAUSE_MS = 100

export class LanePayer {
  readonly channelId: Hex
  readonly #options: LanePayerOptions
  readonly #domain: Eip712Domain
  #record: LaneRecord | undefined
  #queue: Promise<unknown> = Promise.resolve()

  constructor(options: LanePayerOptions) {
    const { config, chainId, channels } = options.lane
    this.#options = options
    this.#domain = channelsDomain(chainId, channels)
    this.channelId = channelIdOf(chainId, channels, config)
  }

  /**
   * Signs the quote, hands the voucher in, and mends the quote as long as the lane moves. One payment of a lane at a time.
   *
   * Throws QUOTE_… when the quote must not be signed, GATEWAY_REFUSED, GATEWAY_STATE_UNPROVEN or …_BEHIND when the gateway's memory of the
   * lane does not fit ours, and OUTCOME_UNKNOWN (remedy retry) when no answer came: the next payment finds out.
   */
  pay<T>(call: PaidCall, quote: Quote, deliver: Deliver<T>, signal?: AbortSignal): Promise<T> {
    const turn = this.#queue.then(() => this.#pay(call, quote, deliver, signal))
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  async #pay<T>(call: PaidCall, first: Quote, deliver: Deliver<T>, signal: AbortSignal | undefined): Promise<T> {
    let quote = first
    for (let round = 0; round < MAX_QUOTES; round++) {
      const record = this.#record ?? (await this.#synchronise(signal))
      const { lane } = this.#options.lane
      const order = {
        channelId: this.channelId,
        lane,
        domain: this.#domain,
        record,
        mostLeft: call.maxPrice - call.paid,
      }
      const verdict = checkQuote(quote, { ...order, requestHash: call.requestHash, version: call.version })
      const isOld = !verdict.ok && (verdict.code === 'QUOTE_SHRINKS' || verdict.code === 'QUOTE_FROM_JUMPS')
      // Another call of ours may have moved the lane since: a voucher that promises nothing new asks how it stands now.
      if (!verdict.ok && !(isOld && round < 2))
        throw new PotluckError(verdict.code, verdict.message, { due: quote.due })
      const terms = verdict.ok ? quote : nothingNew(quote, record)
      const header = this.#sign(terms, record)
      const outcome = await this.#insist(header, deliver, signal)
      if (outcome.ok) {
        const price = terms.due - record.accepted
        const run = { from: terms.from, allocationHash: terms.allocationHash }
        this.#remember({ signed: max(record.signed, terms.due), accepted: terms.due, run })
        call.paid += price
        call.voucher = header
        return outcome.value
      }
      const next = outcome.refusal.quote
      if (!next || (verdict.ok && isSame(next, quote))) throw refused(outcome.refusal)
      quote = next
    }
    const message = `${MAX_QUOTES} quotes in a row were out of date: does another process pay from this lane?`
    throw new PotluckError('LANE_CONTESTED', message, { lane: this.#options.lane.lane }, { remedy: 'retry' })
  }

  /** The header of a voucher on these terms, remembered before it is used. */
  #sign(terms: Quote, record: LaneRecord): string {
    const { lane, secret } = this.#options.lane
    const { from, due, requestHash, allocationHash } = terms
    const voucher = { channelId: this.channelId, lane, from, cumulative: due, requestHash, allocationHash }
    if (due > record.signed) this.#remember({ ...record, signed: due })
    return encodeVoucherHeader({
      ...voucher,
      signature: toHex(signDigest(voucherDigest(this.#domain, voucher), secret)),
    })
  }

  async #insist<T>(header: string, deliver: Deliver<T>, signal: AbortSignal | undefined) {
    for (let repeat = 0; ; repeat++) {
      try {
        const outcome = await deliver(header)
        // After a lost answer the first connection may still be at work on it: the same voucher is then asked to wait.
        const isBusy = repeat > 0 && !outcome.ok && outcome.refusal.code === 'voucher_reused'
        if (!isBusy || repeat === MAX_REPEATS) return outcome
      } catch (cause) {
        // Whether it was taken is for the gateway to say, next time.
        if (signal?.aborted || repeat === MAX_REPEATS) this.#record = undefined
        signal?.throwIfAborted()
        if (repeat === MAX_REPEATS) {
          const message = 'no answer to a voucher, so it may have been taken or not; call again, the gateway will tell'
          throw new PotluckError('OUTCOME_UNKNOWN', message, { repeats: repeat }, { cause, remedy: 'retry' })
        }
      }
      await pause(FIRST_PAUSE_MS << repeat, signal)
    }
  }

  /** Where the lane stands: the gateway says, within what we know to have signed. */
  async #synchronise(signal: AbortSignal | undefined): Promise<LaneRecord> {
    const { lane, http, memory, signedUpTo = 0n, claimedOf } = this.#options
    const known = memory.load(this.channelId, lane.lane) ?? { signed: 0n, accepted: 0n, run: null }
    const said = await this.#acceptedAtGateway(http, lane.lane, signal)
    let signed = max(known.signed, signedUpTo)
    // What was claimed on chain was signed by us, whatever we have forgotten.
    if (claimedOf && (said === undefined || said > signed)) signed = max(signed, await claimedOf())
    const accepted = said ?? (claimedOf ? await claimedOf() : signedUpTo)
    if (accepted > signed) {
      const message = `the gateway says ${accepted} were promised in lane ${lane.lane}, we know of ${signed}: use the memory this lane was paid with, or a new lane`
      throw new PotluckError('GATEWAY_STATE_UNPROVEN', message, { accepted, signed }, { remedy: 'fix-setup' })
    }
    if (accepted < known.accepted) {
      const message = `the gateway says ${accepted} were promised in lane ${lane.lane}, it has taken ${known.accepted}: use a new lane`
      throw new PotluckError(
        'GATEWAY_STATE_BEHIND',
        message,
        { accepted, known: known.accepted },
        { remedy: 'fix-setup' },
      )
    }
    const record = { signed, accepted, run: accepted === known.accepted ? known.run : null }
    this.#record = record
    return record
  }

  /** undefined when the gateway has never seen the lane. */
  async #acceptedAtGateway(http: GatewayHttp, lane: number, signal: AbortSignal | undefined) {
    const response = await http.get(`/potluck/channels/${this.channelId}`, signal)
    if (response.status === 404) return undefined
    if (!response.ok) throw refused(await refusalOf(response))
    const lanes = field(await response.json(), 'lanes')
    const found = Array.isArray(lanes) ? lanes.find((item) => field(item, 'lane') === lane) : undefined
    return found === undefined ? undefined : f.amount.parse(field(found, 'accepted'))
  }

  #remember(record: LaneRecord): void {
    this.#options.memory.save(this.channelId, this.#options.lane.lane, record)
    this.#record = record
  }
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

const isSame = (a: Quote, b: Quote): boolean =>
  a.due === b.due && a.from === b.from && a.allocationHash === b.allocationHash

/** Terms that promise not one unit beyond what was taken, along the quote's allocation. */
function nothingNew(quote: Quote, { accepted, run }: LaneRecord): Quote {
  const from = run?.allocationHash === quote.allocationHash ? run.from : accepted
  return { ...quote, from, due: accepted }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  signal?.throwIfAborted()
}
