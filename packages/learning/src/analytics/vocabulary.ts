/**
 * Which words occur at least so often among all members, and how often, without saying who has which: rare words stay unknown (L-51).
 *
 * Round 1 adds up counts in hashed buckets. Round 2, for buckets that reached the threshold alone, adds up count and count · byte for
 * each byte of a word: where one word is alone in its bucket, dividing gives its bytes. A bucket that two words share shows only their
 * total and is reported as such; take more buckets.
 */
import { concatBytes, PotluckError, sha256, uint64, utf8 } from '@potluck/protocol'

export type VocabularyPlan = {
  /** Draws the hash, so that nobody can prepare words that collide. */
  readonly seed: Uint8Array
  readonly buckets: number
  /** Smallest total count of a word (of a bucket, in round 1) that is shown. */
  readonly least: number
  /** Longer words are left out. UTF-8 bytes. */
  readonly longest: number
}

export type Vocabulary = {
  /** Words with counts, most frequent first, then in byte order. */
  readonly words: readonly { readonly word: string; readonly count: number }[]
  /** Occurrences in buckets of several words. */
  readonly mixed: number
}

/** Throws BAD_VOCABULARY for numbers that make no sense. */
export function bucketOf(plan: VocabularyPlan, word: string): number {
  const { buckets, least, longest } = plan
  if (![buckets, least, longest].every((value) => Number.isInteger(value) && value >= 1) || buckets > 4_294_967_295) {
    throw new PotluckError(
      'BAD_VOCABULARY',
      `expected at least one bucket, count and byte, got ${buckets}, ${least} and ${longest}`,
      { buckets, least, longest },
    )
  }
  const hash = sha256(concatBytes(utf8('potluck/vocabulary/2'), uint64(plan.seed.length), plan.seed, utf8(word)))
  const view = new DataView(hash.buffer, hash.byteOffset)
  return Number(view.getBigUint64(0) % BigInt(buckets))
}

const isCounted = (word: string, { longest }: VocabularyPlan): boolean => {
  const { length } = utf8(word)
  return length > 0 && length <= longest
}

/** Round 1: this member's counts, one for each bucket. */
export function bucketCounts(words: readonly string[], plan: VocabularyPlan): Float64Array {
  const counts = new Float64Array(plan.buckets)
  for (const [word, count] of countsOf(words, plan)) counts[bucketOf(plan, word)]! += count
  return counts
}

/** The buckets whose sum reached the threshold, ascending. */
export const openBuckets = (sum: Float64Array, { least }: VocabularyPlan): number[] =>
  [...sum.keys()].filter((bucket) => sum[bucket]! >= least)

/** Round 2: for each open bucket the count, the length times the count, and each byte times the count. */
export function bucketWords(words: readonly string[], plan: VocabularyPlan, open: readonly number[]): Float64Array {
  const size = 2 + plan.longest
  const places = new Map(open.map((bucket, i) => [bucket, i * size]))
  const out = new Float64Array(open.length * size)
  for (const [word, count] of countsOf(words, plan)) {
    const at = places.get(bucketOf(plan, word))
    if (at === undefined) continue
    const bytes = utf8(word)
    out[at]! += count
    out[at + 1]! += count * bytes.length
    bytes.forEach((byte, i) => {
      out[at + 2 + i]! += count * byte
    })
  }
  return out
}

/** The words that the sum of all members' round 2 shows. Throws BAD_SUM for another length. */
export function vocabularyFromSum(sum: Float64Array, plan: VocabularyPlan, open: readonly number[]): Vocabulary {
  const size = 2 + plan.longest
  if (sum.length !== open.length * size) {
    throw new PotluckError('BAD_SUM', `expected ${open.length} buckets of ${size} numbers, got ${sum.length} numbers`)
  }
  const words: { word: string; count: number }[] = []
  let mixed = 0
  open.forEach((bucket, i) => {
    const [count = 0, lengths = 0, ...totals] = sum.subarray(i * size, (i + 1) * size)
    const word = wordOf(totals, count, lengths / count)
    if (word !== null && bucketOf(plan, word) === bucket) words.push({ word, count })
    else mixed += count
  })
  words.sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1))
  return { words, mixed }
}

function wordOf(totals: readonly number[], count: number, length: number): string | null {
  const bytes = totals.map((total) => total / count)
  const isWord =
    Number.isInteger(length) &&
    length <= bytes.length &&
    bytes.every((byte, i) => Number.isInteger(byte) && byte >= 0 && byte < 256 && (i < length || byte === 0))
  if (!isWord) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes.slice(0, length)))
  } catch {
    // Two words whose bytes add up to whole numbers, but to no text.
    return null
  }
}

function countsOf(words: readonly string[], plan: VocabularyPlan): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of words) if (isCounted(word, plan)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}
