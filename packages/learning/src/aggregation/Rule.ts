/**
 * How the updates of one round become one. `reference` is the default; what each computes stands in the file of its name.
 *
 * Counts are of members: `attackers` of them are tolerated, `trim` of them cut at each end.
 */
export type Rule =
  | { readonly kind: 'mean' }
  /** FedAvg: by rows. Members say themselves how many they have. */
  | { readonly kind: 'weightedMean' }
  /** `keep`: how many are averaged; all but the attackers when left out. */
  | { readonly kind: 'multiKrum'; readonly attackers: number; readonly keep?: number }
  | { readonly kind: 'median' }
  | { readonly kind: 'trimmedMean'; readonly trim: number }
  | { readonly kind: 'geometricMedian' }
  /** `radius`: a length; the lower median of the distances to the start when left out. */
  | { readonly kind: 'centeredClipping'; readonly radius?: number }
  /** `bound`: a length; the lower median of the lengths when left out. */
  | { readonly kind: 'normBound'; readonly bound?: number }
  | { readonly kind: 'reference' }
  | { readonly kind: 'bucketing'; readonly size: number; readonly then: Rule }
  | { readonly kind: 'nearestNeighbours'; readonly attackers: number; readonly then: Rule }

export type RuleInput = {
  /** Base minus trained parameters of each member [P], in the order of members. */
  readonly updates: readonly Float32Array[]
  /** Rows behind each. */
  readonly sizes: readonly number[]
  /** Update of the reference rows [P]; the rule `reference` needs it. */
  readonly reference?: Float32Array | undefined
  /** Aggregate of the round before [P]. */
  readonly previous?: Float32Array | undefined
  /** Of the round, known only after its set of updates is fixed. */
  readonly seed: Uint8Array
}

export type Aggregate = {
  readonly update: Float32Array
  /** Each member's part in it: at least 0, and together 1, less what `reference` gives the reference's own update; or all 0. */
  readonly weights: Float32Array
}
