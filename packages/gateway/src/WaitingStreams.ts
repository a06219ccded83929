import type { Hex, SignedVoucher } from '@potluck/protocol'
import { ApiError } from './ApiError.ts'

type Offer = (voucher: SignedVoucher) => Promise<void>
const keyOf = (channelId: Hex, lane: number, requestHash: Hex) => `${channelId}:${lane}:${requestHash}`

/** Streams paused at an unpaid step, and the way for `POST /potluck/vouchers` to reach them. */
export class WaitingStreams {
  readonly #offers = new Map<string, Offer[]>()

  /** Resolves once `take` has accepted a voucher; rejects when `signal` fires. A voucher that `take` refuses changes nothing. */
  async wait(
    open: { channelId: Hex; lane: number },
    requestHash: Hex,
    take: Offer,
    signal: AbortSignal,
  ): Promise<void> {
    const key = keyOf(open.channelId, open.lane, requestHash)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const offer: Offer = async (voucher) => {
      await take(voucher)
      resolve()
    }
    const abort = () => reject(signal.reason)
    signal.throwIfAborted()
    signal.addEventListener('abort', abort)
    this.#offers.set(key, [...(this.#offers.get(key) ?? []), offer])
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', abort)
      const rest = (this.#offers.get(key) ?? []).filter((item) => item !== offer)
      if (rest.length > 0) this.#offers.set(key, rest)
      else this.#offers.delete(key)
    }
  }

  /** Hands a voucher to the stream that waits for it. Throws what the stream says of it, or ApiError `no_open_call`. */
  async offer(voucher: SignedVoucher): Promise<void> {
    const waiting = this.#offers.get(keyOf(voucher.channelId, voucher.lane, voucher.requestHash))?.[0]
    if (waiting) return waiting(voucher)
    const request = `request ${voucher.requestHash} in lane ${voucher.lane}`
    throw new ApiError(
      'no_open_call',
      `no stream waits for a voucher for ${request}: send the request with the voucher`,
    )
  }
}
