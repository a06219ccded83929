import { Heap } from './Heap.ts'

/** Which pair of tokens becomes which token, by rank: the lower goes first. */
export type Merges = ReadonlyMap<number, { readonly rank: number; readonly token: number }>

/** One number for a pair of tokens below 2^21. */
export const pairKey = (left: number, right: number): number => left * 0x200000 + right

type Candidate = { readonly rank: number; readonly at: number; readonly left: number; readonly right: number }

/**
 * Merges a word until no pair of neighbours has a rank: always the pair of lowest rank, of equals the leftmost (E-40).
 * Cost: n·log n for n bytes, so that a long word from outside takes no longer than its length deserves.
 */
export function mergeWord(merges: Merges, word: readonly number[]): number[] {
  const tokens = [...word]
  const next = tokens.map((_, i) => i + 1)
  const previous = tokens.map((_, i) => i - 1)
  const isGone = new Uint8Array(tokens.length)
  const candidates = new Heap<Candidate>((a, b) => a.rank < b.rank || (a.rank === b.rank && a.at < b.at))
  const offer = (at: number): void => {
    const after = next[at]!
    if (at < 0 || after >= tokens.length) return
    const [left, right] = [tokens[at]!, tokens[after]!]
    const merge = merges.get(pairKey(left, right))
    if (merge) candidates.push({ rank: merge.rank, at, left, right })
  }
  for (let i = 0; i < tokens.length; i++) offer(i)
  for (let item = candidates.pop(); item; item = candidates.pop()) {
    const { at, left, right } = item
    const after = next[at]!
    if (isGone[at] || after >= tokens.length || tokens[at] !== left || tokens[after] !== right) continue
    tokens[at] = merges.get(pairKey(left, right))!.token
    isGone[after] = 1
    next[at] = next[after]!
    if (next[at]! < tokens.length) previous[next[at]!] = at
    if (previous[at]! >= 0) offer(previous[at]!)
    offer(at)
  }
  return tokens.filter((_, i) => !isGone[i])
}
