import {
  allocationHash,
  type ChannelConfig,
  channelIdOf,
  channelsDomain,
  fromHex,
  type Hex,
  recoverSigner,
  toHex,
  voucherDigest,
} from '@potluck/protocol'
import type {
  ChannelLedger,
  ChannelView,
  ClaimGroup,
  ClaimItem,
  ClaimResult,
  LaneView,
  Refusal,
} from '../src/ChannelLedger.ts'

type Lane = { key: Hex; cap: bigint; claimed: bigint }
type Channel = { config: ChannelConfig; deposited: bigint; withdrawAt: bigint; lanes: Map<number, Lane> }
const ZERO: Hex = '0x0000000000000000000000000000000000000000'

/** The Channels contract in memory: the same judgement in the same order, nothing else. */
export class FakeLedger implements ChannelLedger {
  readonly chainId = 31_337
  readonly channels: Hex = '0x00000000000000000000000000000000000000cc'
  readonly open = new Map<Hex, Channel>()
  readonly paid: { allocation: ClaimGroup['allocation']; amount: bigint }[] = []
  readonly #operator: Hex
  reads = 0
  /** When set, the next claim happens and then its answer is lost. */
  loseAnswer = false

  constructor(operator: Hex) {
    this.#operator = operator
  }

  openChannel(config: ChannelConfig, deposited: bigint): Hex {
    const channelId = channelIdOf(this.chainId, this.channels, config)
    const lanes = new Map([[0, { key: config.signer, cap: 0n, claimed: 0n }]])
    this.open.set(channelId, { config, deposited, withdrawAt: 0n, lanes })
    return channelId
  }

  setDelegate(channelId: Hex, lane: number, key: Hex, cap: bigint): void {
    this.open.get(channelId)?.lanes.set(lane, { key, cap, claimed: 0n })
  }

  async channelOf(channelId: Hex): Promise<ChannelView> {
    this.reads++
    const channel = this.open.get(channelId)
    if (!channel) return { deposited: 0n, claimedLane0: 0n, claimedOtherLanes: 0n, withdrawAt: 0n }
    const claimedLane0 = channel.lanes.get(0)?.claimed ?? 0n
    const { deposited, withdrawAt } = channel
    return { deposited, claimedLane0, claimedOtherLanes: claimedOf(channel) - claimedLane0, withdrawAt }
  }

  async laneOf(channelId: Hex, lane: number): Promise<LaneView> {
    const found = this.open.get(channelId)?.lanes.get(lane) ?? { key: ZERO, cap: 0n, claimed: 0n }
    return { ...found, nextKey: ZERO, nextCap: 0n, changeAt: 0n }
  }

  async configOf(channelId: Hex): Promise<ChannelConfig | undefined> {
    return this.open.get(channelId)?.config
  }

  async check(operator: Hex, group: ClaimGroup): Promise<Refusal[]> {
    return group.items.map((item) => this.#judge(operator, group, item).why)
  }

  async claim(groups: ClaimGroup[]): Promise<ClaimResult> {
    const undo = structuredClone([...this.open])
    const paid: { allocation: ClaimGroup['allocation']; amount: bigint }[] = []
    for (const [g, group] of groups.entries()) {
      let amount = 0n
      for (const [i, item] of group.items.entries()) {
        const { why, lane } = this.#judge(this.#operator, group, item)
        if (why !== 'None' || !lane) {
          for (const [id, channel] of undo) this.open.set(id, channel)
          return { ok: false, group: g, item: i, why }
        }
        amount += item.cumulative - lane.claimed
        lane.claimed = item.cumulative
      }
      paid.push({ allocation: group.allocation, amount })
    }
    this.paid.push(...paid)
    if (this.loseAnswer) {
      this.loseAnswer = false
      throw new Error('the answer of the chain was lost')
    }
    return { ok: true, txHash: toHex(new Uint8Array(32).fill(this.paid.length)) }
  }

  #judge(operator: Hex, group: ClaimGroup, item: ClaimItem): { why: Refusal; lane?: Lane } {
    const { payer, signer, withdrawDelaySeconds, salt } = item
    const config = { payer, signer, operator, token: group.token, withdrawDelaySeconds, salt }
    const channelId = channelIdOf(this.chainId, this.channels, config)
    const channel = this.open.get(channelId)
    if (!channel) return { why: 'UnknownChannel' }
    const lane = channel.lanes.get(item.lane)
    if (!lane) return { why: 'UnknownLane' }
    if (item.lane !== 0 && item.cumulative > lane.cap) return { why: 'BeyondCap' }
    if (item.from > lane.claimed) return { why: 'GapBelow' }
    if (item.cumulative <= lane.claimed) return { why: 'NothingNew' }
    if (claimedOf(channel) + item.cumulative - lane.claimed > channel.deposited) return { why: 'BeyondDeposit' }
    const vs = fromHex(item.vs)
    const v = ((vs[0] ?? 0) >> 7) + 27
    vs[0] = (vs[0] ?? 0) & 0x7f
    const { lane: number, from, cumulative, requestHash } = item
    const voucher = {
      channelId,
      lane: number,
      from,
      cumulative,
      requestHash,
      allocationHash: allocationHash(group.allocation),
    }
    const digest = voucherDigest(channelsDomain(this.chainId, this.channels), voucher)
    const signature = Uint8Array.from([...fromHex(item.r), ...vs, v])
    return recoverSigner(digest, signature) === lane.key ? { why: 'None', lane } : { why: 'WrongSigner' }
  }
}

const claimedOf = (channel: Channel): bigint =>
  [...channel.lanes.values()].reduce((sum, lane) => sum + lane.claimed, 0n)
