import type { Hex } from '@potluck/protocol'

/** Where a lane stands at this gateway. */
export type LaneState = {
  /** The highest voucher taken. */
  accepted: bigint
  /** The part of it that was used; the rest is credit for later calls along the same allocation. */
  spent: bigint
  /** Amounts above this belong to `runAllocation`. */
  runFrom: bigint
  runAllocation: Hex | ''
}

/** What the next voucher must say for a price along an allocation (G-12). */
export type LaneTerms = {
  from: bigint
  due: bigint
  /** Cumulative amounts of the lane before and after this use. */
  before: bigint
  after: bigint
}

/**
 * The terms for using a lane once more.
 *
 * Along the same allocation a voucher replaces the one before it, so that one claim pays for all. Along another one a new run begins above
 * everything accepted: what was promised to the old allocation stays its own, credit included.
 */
export function laneTerms(lane: LaneState, allocationHash: Hex, price: bigint): LaneTerms {
  const same = lane.runAllocation === allocationHash
  const before = same ? lane.spent : lane.accepted
  const after = before + price
  return {
    from: same ? lane.runFrom : lane.accepted,
    due: after > lane.accepted ? after : lane.accepted,
    before,
    after,
  }
}
