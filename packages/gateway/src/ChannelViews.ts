import { type ApiKey, addressOfSecret, type ChannelConfig, channelIdOf, type Hex } from '@potluck/protocol'
import { ApiError } from './ApiError.ts'
import type { ChannelLedger, ChannelView, LaneView } from './ChannelLedger.ts'
import type { GatewayConfig } from './gatewayConfig.ts'
import type { PaymentStore } from './PaymentStore.ts'

/** One lane as the chain has it, judged fit for use here. */
export type OpenLane = {
  channelId: Hex
  config: ChannelConfig
  lane: number
  signer: Hex
  deposited: bigint
  cap: bigint | null
}

type Seen = { atMs: number; channel: ChannelView; lane: LaneView }

const NO_KEY = '0x0000000000000000000000000000000000000000'
// Enough for every caller of a busy hour; the oldest views go first.
const MAX_VIEWS = 10_000

/** Channels and lanes on chain, read at most once in `chainCacheMs`, and whether vouchers of theirs may be taken (G-11). */
export class ChannelViews {
  readonly #ledger: ChannelLedger
  readonly #config: GatewayConfig
  readonly #store: PaymentStore
  readonly #nowMs: () => number
  readonly #seen = new Map<string, Seen>()

  constructor(ledger: ChannelLedger, config: GatewayConfig, store: PaymentStore, nowMs: () => number) {
    this.#ledger = ledger
    this.#config = config
    this.#store = store
    this.#nowMs = nowMs
  }

  /** The lane an API key spends from. Throws ApiError `invalid_api_key` when the chain names another key for it. */
  async ofKey(key: ApiKey): Promise<OpenLane> {
    const config = this.#store.channel(key.channelId) ?? (await this.#ledger.configOf(key.channelId))
    if (config === undefined) {
      throw new ApiError(
        'invalid_api_key',
        `the key's channel ${key.channelId} is not open on chain ${this.#ledger.chainId}`,
      )
    }
    let open: OpenLane
    try {
      open = await this.of(config, key.lane)
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'lane_unknown') throw error
      throw new ApiError('invalid_api_key', `the key is not in force: ${error.message}`)
    }
    if (addressOfSecret(key.secret) === open.signer) return open
    throw new ApiError('invalid_api_key', `lane ${key.lane} of the channel belongs to another key now`)
  }

  /** The lane of a channel. With `refresh` the chain is read anew: for a refusal that a top-up may have lifted. */
  async of(config: ChannelConfig, lane: number, refresh = false): Promise<OpenLane> {
    this.#suits(config)
    const channelId = channelIdOf(this.#ledger.chainId, this.#ledger.channels, config)
    const seen = await this.#read(channelId, lane, refresh)
    const { channel, lane: view } = seen
    if (channel.deposited === 0n) {
      const place = `chain ${this.#ledger.chainId}, contract ${this.#ledger.channels}`
      throw new ApiError('channel_unknown', `no deposit in channel ${channelId} on ${place}: open it first`)
    }
    if (channel.withdrawAt !== 0n) {
      const remedy = 'cancel the withdrawal or open another channel'
      throw new ApiError('channel_closing', `the payer asked for the deposit back at ${channel.withdrawAt}: ${remedy}`)
    }
    this.#store.ensureLane(channelId, config, channel.claimedLane0 + channel.claimedOtherLanes, lane, view.claimed)
    const { deposited } = channel
    if (lane === 0) return { channelId, config, lane, signer: config.signer, deposited, cap: null }
    if (view.key === NO_KEY) {
      throw new ApiError('lane_unknown', `lane ${lane} of channel ${channelId} has no delegate key`)
    }
    if (view.changeAt !== 0n) {
      throw new ApiError(
        'lane_changing',
        `the key or cap of lane ${lane} changes at ${view.changeAt}: use another lane`,
      )
    }
    return { channelId, config, lane, signer: view.key.toLowerCase() as Hex, deposited, cap: view.cap }
  }

  #suits({ operator, token, withdrawDelaySeconds }: ChannelConfig): void {
    const { operator: wantedOperator, token: wantedToken, minWithdrawDelaySeconds } = this.#config
    const no = (what: string) => new ApiError('channel_unsuitable', `${what}: open a channel to this gateway's terms`)
    if (operator !== wantedOperator)
      throw no(`the channel's operator is ${operator}, this gateway's is ${wantedOperator}`)
    if (token !== wantedToken) throw no(`the channel holds token ${token}, this gateway takes ${wantedToken}`)
    if (withdrawDelaySeconds < minWithdrawDelaySeconds) {
      throw no(`the withdraw delay is ${withdrawDelaySeconds} s, at least ${minWithdrawDelaySeconds} s are needed`)
    }
  }

  async #read(channelId: Hex, lane: number, refresh: boolean): Promise<Seen> {
    const key = `${channelId}:${lane}`
    const known = this.#seen.get(key)
    const isFresh = known !== undefined && this.#nowMs() - known.atMs < this.#config.chainCacheMs
    if (isFresh && !refresh) return known
    const atMs = this.#nowMs()
    const [channel, view] = await Promise.all([this.#ledger.channelOf(channelId), this.#ledger.laneOf(channelId, lane)])
    const seen = { atMs, channel, lane: view }
    this.#seen.delete(key)
    this.#seen.set(key, seen)
    const oldest = this.#seen.keys().next()
    if (this.#seen.size > MAX_VIEWS && !oldest.done) this.#seen.delete(oldest.value)
    return seen
  }
}
