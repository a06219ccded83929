import { type ElementRecord, evaluateElement, littleEndianBytes, type Segment, statePlaces } from '@potluck/engine'
import { LEAF_BYTES, PotluckError } from '@potluck/protocol'
import { type HashTree, rootOf, treeOfBytes, treeOfNodes, treeOfTrees } from './HashTree.ts'
import type { StepTrace } from './StepTrace.ts'
import { partialSums } from './sums.ts'

/** The words of a state: one array for each part. */
export type StateWords = readonly Uint32Array[]

/** What each trace leaf holds: the words of a tensor, or the parts of a state. */
export type LeafWords = Uint32Array | StateWords

const isState = (words: LeafWords): words is StateWords => Array.isArray(words)

/**
 * A trace from the words of its leaves. A leaf is read and hashed when it is asked for, all of them once for the trace's own
 * tree; the latest ones are kept.
 *
 * @param leafWords the words of a leaf; asked again after others came in between
 * @param keep      how many leaves, and how many of their trees, stay in memory
 */
export function wordTrace(
  records: readonly ElementRecord[],
  leafWords: (leaf: number) => LeafWords,
  { keep = 32 }: { keep?: number } = {},
): StepTrace {
  const leafOf = remember(leafWords, keep)
  const leafTree = remember((leaf) => treeOfWords(leafOf(leaf)), keep)
  let tree: HashTree | undefined
  const word = (leaf: number, index: number): number => {
    const words = leafOf(leaf)
    if (!isState(words)) return words[index] ?? outside(leaf, index)
    const { part, at } = partAt(words, index)
    return words[part]?.[at] ?? 0
  }
  return {
    records,
    get tree() {
      tree ??= treeOfNodes(records.map((_, leaf) => rootOf(leafTree(leaf))))
      return tree
    },
    leafTree,
    leafBytes(leaf, index) {
      const words = leafOf(leaf)
      if (!isState(words)) return bytesOfWords(words.subarray(256 * index, 256 * (index + 1)))
      const { part, at } = partAt(words, 256 * index)
      return bytesOfWords((words[part] ?? new Uint32Array(0)).subarray(at, at + LEAF_BYTES / 4))
    },
    word,
    sums(leaf, element, range) {
      const record = records[leaf]
      if (record?.kind !== 'element') throw new PotluckError('NOT_A_SUM', `trace leaf ${leaf} is no sum`, { leaf })
      return partialSums(record, element, range, word)
    },
  }
}

/** The function with its latest answers kept. */
function remember<T>(answer: (leaf: number) => T, keep: number): (leaf: number) => T {
  const known = new Map<number, T>()
  return (leaf) => {
    const found = known.get(leaf) ?? answer(leaf)
    // The latest stays last, so that the first is the one not asked for the longest.
    known.delete(leaf)
    known.set(leaf, found)
    for (const oldest of known.keys()) {
      if (known.size <= keep) break
      known.delete(oldest)
    }
    return found
  }
}

function partAt(state: StateWords, index: number): { part: number; at: number } {
  const { partDepth } = statePlaces(state.map(({ length }) => length))
  const width = 256 * 2 ** partDepth
  return { part: Math.floor(index / width), at: index % width }
}

function outside(leaf: number, index: number): never {
  throw new PotluckError('OUT_OF_RANGE', `trace leaf ${leaf} has no element ${index}`, { leaf, index })
}

export const treeOfWords = (words: LeafWords): HashTree =>
  isState(words) ? treeOfTrees(words.map((part) => treeOfBytes(bytesOfWords(part)))) : treeOfBytes(bytesOfWords(words))

/** Little-endian bytes of words (D-01); where the machine is little-endian, the same memory. */
export const bytesOfWords = (words: Uint32Array): Uint8Array =>
  littleEndianBytes(new Int32Array(words.buffer, words.byteOffset, words.length))

export function wordsOfBytes(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getUint32(4 * i, true))
}

/** Called with the words of each leaf as they are made, before anything reads them; a liar changes them there. */
export type Tamper = (leaf: number, words: LeafWords) => void

/**
 * The words of every trace leaf by the referee's own arithmetic, element by element (D-10): for steps that stop an engine,
 * and for liars. Cost: about 1 µs a term.
 *
 * @param given words of the leaves that are not computed, by leaf
 */
export function evaluateLeaves(
  records: readonly ElementRecord[],
  before: StateWords,
  given: (leaf: number) => LeafWords,
  tamper: Tamper = () => undefined,
): LeafWords[] {
  const leaves: LeafWords[] = []
  const { partDepth } = statePlaces(before.map(({ length }) => length))
  const width = 256 * 2 ** partDepth
  const read = (leaf: number, index: number): number => {
    const words = leaves[leaf] as LeafWords
    if (!isState(words)) return words[index] as number
    return words[Math.floor(index / width)]?.[index % width] ?? 0
  }
  records.forEach((record, leaf) => {
    let words: LeafWords
    if (record.kind === 'before') words = before.map((part) => part.slice())
    else if (record.kind === 'after') words = stateAfter(before, record.segments, width, read)
    else if (record.kind === 'element') {
      words = Uint32Array.from({ length: record.size }, (_, e) => evaluateElement(record, e, read))
    } else words = copyOf(given(leaf))
    tamper(leaf, words)
    leaves.push(words)
  })
  return leaves
}

const copyOf = (words: LeafWords): LeafWords => (isState(words) ? words.map((part) => part.slice()) : words.slice())

/** The state that the segments of a kind 2 record make, in parts of the same sizes. */
export function stateAfter(
  before: StateWords,
  segments: readonly Segment[],
  width: number,
  read: (leaf: number, index: number) => number,
): Uint32Array[] {
  const after = before.map((part) => new Uint32Array(part.length))
  for (const { start, length, leaf, offset } of segments) {
    const part = after[Math.floor(start / width)] as Uint32Array
    for (let i = 0; i < length; i++) part[(start % width) + i] = read(leaf, offset + i)
  }
  return after
}
