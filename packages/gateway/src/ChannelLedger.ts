import type { Allocation, ChannelConfig, Hex } from '@potluck/protocol'

export type ChannelView = {
  deposited: bigint
  claimedLane0: bigint
  claimedOtherLanes: bigint
  /** Second from which the payer may take the rest; 0 when it has not asked. */
  withdrawAt: bigint
}

export type LaneView = {
  key: Hex
  cap: bigint
  claimed: bigint
  nextKey: Hex
  nextCap: bigint
  changeAt: bigint
}

export type ClaimItem = {
  payer: Hex
  signer: Hex
  withdrawDelaySeconds: number
  lane: number
  from: bigint
  cumulative: bigint
  salt: Hex
  requestHash: Hex
  r: Hex
  vs: Hex
}
export type ClaimGroup = { token: Hex; allocation: Allocation; items: ClaimItem[] }

/** Names of the contract's `Refusal`, in its order. */
export const refusals = [
  'None',
  'UnknownChannel',
  'UnknownLane',
  'WrongSigner',
  'GapBelow',
  'NothingNew',
  'BeyondDeposit',
  'BeyondCap',
] as const
export type Refusal = (typeof refusals)[number]

export type ClaimResult =
  | { ok: true; txHash: Hex }
  /** The contract refuses this one item: the batch can go without it. */
  | { ok: false; group: number; item: number; why: Refusal }

/** All that a gateway asks of the chain. */
export interface ChannelLedger {
  readonly chainId: number
  /** Address of the Channels contract. */
  readonly channels: Hex
  channelOf(channelId: Hex): Promise<ChannelView>
  laneOf(channelId: Hex, lane: number): Promise<LaneView>
  /** The config of an open channel, from the event of its opening. */
  configOf(channelId: Hex): Promise<ChannelConfig | undefined>
  /** Judges each item by itself; in the order of `group.items`. */
  check(operator: Hex, group: ClaimGroup): Promise<Refusal[]>
  /** One transaction, all or nothing; resolves once it is final. */
  claim(groups: ClaimGroup[]): Promise<ClaimResult>
}
