import { PotluckError, utf8 } from '@potluck/protocol'
import type { BpeVocabulary } from './BpeVocabulary.ts'
import { Heap } from './Heap.ts'
import { pairKey } from './mergeWord.ts'
import { splitWords } from './splitWords.ts'

export type BpeTraining = {
  /** Tokens in all: 256 bytes, the merges and the added tokens. Fewer come out when the text has no more pairs. */
  readonly size: number
  /** Added at the end; they take part in no merge. */
  readonly added?: readonly string[]
  /** Pairs that are rarer are not merged. Default 2. */
  readonly leastCount?: number
}

type Word = { tokens: number[]; readonly count: number }
type Candidate = { readonly count: number; readonly left: number; readonly right: number }

const bytes = 256

/**
 * Learns a byte-level BPE vocabulary: a pure function of (text, options).
 *
 * Token b < 256 is byte b. Each merge takes the most frequent pair of neighbours inside a word, counted in the whole
 * text; of equally frequent ones that with the lowest left token, then the lowest right token (E-39).
 *
 * @throws PotluckError BAD_CONFIG when size is below 256 + added or above 2^20
 */
export function trainBpe(text: string, { size, added = [], leastCount = 2 }: BpeTraining): BpeVocabulary {
  const least = bytes + added.length
  if (!Number.isSafeInteger(size) || size < least || size > 0x100000) {
    throw new PotluckError('BAD_CONFIG', `size must be whole and ${least} to ${0x100000}, got ${size}`)
  }
  const words = countedWords(text)
  const pairs = new PairTable()
  words.forEach((word, i) => {
    pairs.change(word, i, 1)
  })
  const tokens: Uint8Array[] = Array.from({ length: bytes }, (_, byte) => Uint8Array.of(byte))
  const merges: { left: number; right: number; token: number }[] = []
  while (tokens.length < size - added.length) {
    const best = pairs.mostFrequent()
    if (!best || best.count < leastCount) break
    const { left, right } = best
    const token = tokens.push(Uint8Array.of(...tokens[left]!, ...tokens[right]!)) - 1
    merges.push({ left, right, token })
    for (const i of pairs.wordsWith(left, right)) {
      const word = words[i]!
      pairs.change(word, i, -1)
      word.tokens = joined(word.tokens, left, right, token)
      pairs.change(word, i, 1)
    }
    pairs.settle()
  }
  return {
    tokens: [...tokens, ...added.map(() => null)],
    merges,
    added: added.map((content, i) => ({ token: tokens.length + i, content, special: true })),
  }
}

function countedWords(text: string): Word[] {
  const counts = new Map<string, number>()
  for (const word of splitWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, count]) => ({ tokens: [...utf8(word)], count }))
}

/** The pair replaced from left to right. */
function joined(tokens: readonly number[], left: number, right: number, token: number): number[] {
  const out: number[] = []
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] === left && tokens[i + 1] === right) {
      out.push(token)
      i++
    } else out.push(tokens[i]!)
  }
  return out
}

/** How often each pair occurs, and in which words. */
class PairTable {
  readonly #pairs = new Map<number, { left: number; right: number; count: number; words: Set<number> }>()
  readonly #changed = new Set<number>()
  readonly #heap = new Heap<Candidate>(
    (a, b) =>
      a.count > b.count || (a.count === b.count && (a.left < b.left || (a.left === b.left && a.right < b.right))),
  )

  /** Adds (sign 1) or takes away (−1) every pair of a word. */
  change({ tokens, count }: Word, word: number, sign: 1 | -1): void {
    for (let i = 0; i + 1 < tokens.length; i++) {
      const [left, right] = [tokens[i]!, tokens[i + 1]!]
      const key = pairKey(left, right)
      const pair = this.#pairs.get(key) ?? { left, right, count: 0, words: new Set() }
      this.#pairs.set(key, pair)
      pair.count += sign * count
      if (sign > 0) pair.words.add(word)
      else pair.words.delete(word)
      this.#changed.add(key)
    }
  }

  /** Puts every pair that changed where its new count belongs. */
  settle(): void {
    for (const key of this.#changed) {
      const { left, right, count } = this.#pairs.get(key)!
      if (count > 0) this.#heap.push({ count, left, right })
      else this.#pairs.delete(key)
    }
    this.#changed.clear()
  }

  mostFrequent(): Candidate | undefined {
    this.settle()
    for (let item = this.#heap.pop(); item; item = this.#heap.pop()) {
      // Entries with an old count are left in the heap and skipped here.
      if (this.#pairs.get(pairKey(item.left, item.right))?.count === item.count) return item
    }
    return undefined
  }

  wordsWith(left: number, right: number): number[] {
    return [...(this.#pairs.get(pairKey(left, right))?.words ?? [])]
  }
}
