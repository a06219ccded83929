import type { ComputedRecord, ElementRecord } from '@potluck/engine'
import type { ClaimTruth } from '../trace/ClaimTruth.ts'
import { type HashTree, rootOf, treeOfNodes } from '../trace/HashTree.ts'
import type { StepTrace, SumRange } from '../trace/StepTrace.ts'
import type { LeafWords, Tamper } from '../trace/wordTrace.ts'

/** A lie: what is changed in the trace of one step, while everything after it follows from the change. */
export type Lie = {
  readonly name: string
  /** Steps counted from 0; the number of steps for the finish. */
  readonly step: number
  readonly leaf: number
  readonly tamper: Tamper
  /** From which term on the sums of a changed element are wrong, counted in its lane; the last one by default. */
  readonly wrongFrom?: (terms: number) => number
  /** Bits that are wrong in the sums of a changed element; one unit in the last place by default. */
  readonly flip?: number
  /** Hashes that nothing hashes to, in place of the changed leaf's own. */
  readonly isForged?: boolean
}

/** Bits that are flipped in a word to make it wrong: one unit in the last place. */
export const FLIP = 1

const flatOf = (words: LeafWords, index: number): { part: Uint32Array; at: number } => {
  if (words instanceof Uint32Array) return { part: words, at: index % words.length }
  const part = words[index % words.length] as Uint32Array
  return { part, at: Math.floor(index / words.length) % part.length }
}

/** Changes one element by the bits of `flip`. */
export const wrongElement =
  (leaf: number, index: number, flip = FLIP): Tamper =>
  (at, words) => {
    if (at !== leaf) return
    const { part, at: place } = flatOf(words, index)
    part[place] = ((part[place] as number) ^ flip) >>> 0
  }

/** Writes one word over an element. */
export const writtenElement =
  (leaf: number, index: number, word: number): Tamper =>
  (at, words) => {
    if (at !== leaf) return
    const { part, at: place } = flatOf(words, index)
    part[place] = word
  }

/** Writes one word over every element that has another, in a leaf and all after it. */
export const replacedWords =
  (leaf: number, from: number, to: number): Tamper =>
  (at, words) => {
    if (at < leaf) return
    for (const part of words instanceof Uint32Array ? [words] : words) {
      part.forEach((word, i) => {
        if (word === from) part[i] = to
      })
    }
  }

/**
 * The truth of a liar: what a recomputation with the lie in it gives, with sums and hashes bent so that the lie holds as
 * long as anything can.
 *
 * @param told    recomputed with the lie's `tamper`
 * @param records of the step that the lie is in
 */
export function liarTruth(told: ClaimTruth, lie: Lie, records: readonly ElementRecord[]): ClaimTruth {
  return {
    ...told,
    async trace(step) {
      const trace = await told.trace(step)
      if (step !== lie.step) return trace
      const bent = { ...trace, tree: trace.tree, sums: bentSums(trace, lie, records) }
      return lie.isForged ? forged(bent, lie.leaf) : bent
    },
  }
}

function bentSums(
  trace: StepTrace,
  { leaf: wrongLeaf, wrongFrom, flip = FLIP }: Lie,
  records: readonly ElementRecord[],
) {
  return (leaf: number, element: number, range: SumRange): number[] => {
    const sums = trace.sums(leaf, element, range)
    if (leaf !== wrongLeaf) return sums
    const record = records[leaf] as ComputedRecord
    const terms = record.reduction === 'sum' ? record.terms : Math.ceil((record.terms - range.lane) / 8)
    const from = wrongFrom?.(terms) ?? terms - 1
    return sums.map((word, i) => {
      const lastTerm = Math.min(range.first + (i + 1) * range.every, range.end) - 1
      return lastTerm >= from ? (word ^ flip) >>> 0 : word
    })
  }
}

/** A trace in which one leaf's lowest hashes are of nothing. */
function forged(trace: StepTrace, wrongLeaf: number): StepTrace {
  const tree = trace.leafTree(wrongLeaf)
  const width = 2 ** tree.levels
  const nodes = Array.from({ length: width }, (_, i) => tree.node(0, i)).map((node) =>
    node.map((byte, i) => (i < 4 ? byte ^ 0x5a : byte)),
  )
  const wrong = treeOfNodes(nodes)
  const leaves = trace.records.map((_, leaf) => (leaf === wrongLeaf ? rootOf(wrong) : trace.tree.node(0, leaf)))
  const top: HashTree = treeOfNodes(leaves)
  return { ...trace, tree: top, leafTree: (leaf) => (leaf === wrongLeaf ? wrong : trace.leafTree(leaf)) }
}
