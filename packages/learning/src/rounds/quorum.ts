/**
 * Whether what arrived is enough to end a round: two thirds of what was committed (L-70). Work in whole units (steps, tokens), stake in wei:
 * integers, so that everyone counts alike.
 */
export const isQuorum = (arrived: bigint, committed: bigint): boolean =>
  committed > 0n && 3n * arrived >= 2n * committed

/**
 * How many of `keepers` must hold a thing before it counts as accepted: more than two thirds, so that what was accepted stands in more
 * lists of any such group than anything accepted by nobody (L-70). 3 of 4, 5 of 7, 11 of 16.
 */
export const holdersNeeded = (keepers: number): number => Math.floor((2 * keepers) / 3) + 1
