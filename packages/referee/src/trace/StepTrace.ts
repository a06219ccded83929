import type { ElementRecord } from '@potluck/engine'
import type { HashTree } from './HashTree.ts'

/** Terms of a sum along one lane: `first` … `end` − 1, counted in the lane, from the partial before `first`. */
export type SumRange = {
  readonly lane: number
  readonly first: number
  readonly end: number
  readonly agreed: number
  /** One partial after every so many terms, and one after the last. */
  readonly every: number
}

/**
 * One side's truth about one step: what it reveals and what it compares with. Everything is computed when it is asked for.
 */
export type StepTrace = {
  readonly records: readonly ElementRecord[]
  /** The tree over the trace leaves (D-03). */
  readonly tree: HashTree
  /** The tree of one trace leaf's tensor. */
  leafTree(leaf: number): HashTree
  /** 1 KiB of a tensor, shorter at its end. */
  leafBytes(leaf: number, index: number): Uint8Array
  /** A word of a trace leaf, by its place in the tensor or in the state's tree; 0 where the state has none. */
  word(leaf: number, index: number): number
  /** The partial sums of an element in a range, in order. */
  sums(leaf: number, element: number, range: SumRange): number[]
}
