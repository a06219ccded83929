import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { codeOf, sha256, toHex, utf8 } from '@potluck/protocol'
import { addMasksPlainly } from '../secureSum/addMasks.ts'
import { defaultTolerance } from '../secureSum/planGraph.ts'
import type { RingBits } from '../secureSum/ring.ts'
import type { RingFormat } from '../secureSum/ringFixed.ts'
import { portableAgreement } from '../secureSum/sumCrypto.ts'
import { sumInMemory } from '../secureSum/sumInMemory.ts'
import { setUpSum } from '../secureSum/sumPlan.ts'
import { parseHeartCsv } from '../tables/parseTable.ts'
import { localStatistics, scalingFromSum } from '../tables/scaling.ts'
import type { TableRow } from '../tables/tableRow.ts'
import { heartSchema, inputNames } from '../tables/tableSchema.ts'
import { histogramCounts, labelCounts } from './histogram.ts'
import { momentsFromSum, momentsVector } from './moments.ts'
import { narrowQuantile, quantileEdges, startQuantile } from './quantile.ts'
import { queryResult, queryWords } from './queryWords.ts'
import { bucketCounts, bucketWords, openBuckets, type VocabularyPlan, vocabularyFromSum } from './vocabulary.ts'

const hospitals = ['cleveland', 'hungarian', 'switzerland', 'va']
const tables = new Map(
  hospitals.map((hospital) => {
    const file = `processed.${hospital}.data`
    const text = readFileSync(new URL(`../../../../data/heart/${file}`, import.meta.url), 'utf8')
    return [hospital, parseHeartCsv(text, { file })]
  }),
)
const all = [...tables.values()].flat()
const names = inputNames(heartSchema)
const columnOf = (rows: readonly TableRow[], name: string): number[] =>
  rows.map(({ inputs }) => inputs[names.indexOf(name)]!)
const hash = (text: string) => toHex(sha256(utf8(text)))
const crypto = { agreement: portableAgreement, verify: () => true, addMasks: addMasksPlainly }
let round = 0

/** One query over the four hospitals through the real protocol. */
function ask(
  answer: (rows: readonly TableRow[], hospital: string) => Float64Array,
  { bits = 32, fractionBits = 0 }: { bits?: RingBits; fractionBits?: number } = {},
  noise?: (length: number) => bigint[],
): Float64Array {
  const format: RingFormat = { bits, fractionBits, members: hospitals.length }
  const words = new Map(
    [...tables].map(([id, rows]) => {
      const values = answer(rows, id)
      return [id, queryWords(values, format, noise?.(values.length))]
    }),
  )
  const setup = setUpSum({
    job: 'analytics',
    round: round++,
    attempt: 1,
    base: hash('query'),
    members: hospitals,
    bits,
    rounds: 8,
    length: words.get('va')!.length,
    seed: hash('beacon'),
    ...defaultTolerance(4),
  })
  const members = hospitals.map((self) => ({
    self,
    secret: sha256(utf8(self)),
    approved: hospitals,
    sign: () => new Uint8Array(),
    ...crypto,
  }))
  return queryResult(sumInMemory(setup, members, words, crypto), format)
}

test('gives the exact class counts and histogram of four hospitals from masked sums [L-51]', () => {
  const labels = ask(
    (rows) =>
      labelCounts(
        rows.map(({ label }) => label),
        2,
      ),
    { bits: 16 },
  )
  assert.deepEqual(
    [...labels],
    [all.filter(({ label }) => label === 0).length, all.filter(({ label }) => label === 1).length],
  )
  assert.equal(labels[0]! + labels[1]!, 740)
  const edges = [30, 40, 50, 60, 70]
  const ages = columnOf(all, 'age')
  const counts = ask((rows) => histogramCounts(columnOf(rows, 'age'), edges))
  const expected = [-1000, ...edges].map(
    (edge, i) => ages.filter((age) => age >= edge && age < (edges[i] ?? 1000)).length,
  )
  assert.deepEqual([...counts], expected)
})

test('gives the exact mean and variance of whole-numbered columns, and the scaling that training uses [L-51]', () => {
  const wanted = ['age', 'chol', 'thalach']
  const rowsOf = (rows: readonly TableRow[]) =>
    rows.map(({ inputs }) => wanted.map((name) => inputs[names.indexOf(name)]!))
  const sum = ask((rows) => momentsVector(rowsOf(rows), 3), { bits: 64, fractionBits: 8 })
  const { count, mean, variance } = momentsFromSum(sum)
  assert.equal(count, 740)
  wanted.forEach((name, j) => {
    const values = columnOf(all, name)
    const total = values.reduce((a, b) => a + b, 0)
    const squares = values.reduce((a, b) => a + b * b, 0)
    assert.equal(mean[j], total / 740)
    assert.equal(variance[j], squares / 740 - (total / 740) * (total / 740))
  })
  const scaling = scalingFromSum(ask((rows) => localStatistics(rows), { bits: 64, fractionBits: 20 }))
  const pooled = scalingFromSum(localStatistics(all))
  for (const [j, value] of scaling.mean.entries()) assert.ok(Math.abs(value - pooled.mean[j]!) < 1e-6)
  for (const [j, value] of scaling.sd.entries()) assert.ok(Math.abs(value - pooled.sd[j]!) < 1e-4)
})

test('finds every quantile of a whole-numbered column exactly, in a few rounds of counts [L-51]', () => {
  const ages = columnOf(all, 'age').sort((a, b) => a - b)
  for (const q of [0, 0.5, 1]) {
    let search = startQuantile(q, { low: 0, high: 128 }, { bins: 16, width: 1 })
    for (let rounds = 0; !search.isDone; rounds++) {
      assert.ok(rounds < 3)
      const now = search
      search = narrowQuantile(
        now,
        ask((rows) => histogramCounts(columnOf(rows, 'age'), quantileEdges(now))),
      )
    }
    assert.equal(Math.ceil(search.low), ages[Math.max(1, Math.ceil(q * 740)) - 1], `${q}`)
  }
})

test('narrows to the interval that holds the quantile whatever the numbers, and refuses ranges without it [L-51]', () => {
  const oldpeak = columnOf(all, 'oldpeak').sort((a, b) => a - b)
  let search = startQuantile(0.9, { low: -10, high: 10 }, { bins: 8, width: 0.01 })
  while (!search.isDone) search = narrowQuantile(search, histogramCounts(oldpeak, quantileEdges(search)))
  const value = oldpeak[Math.ceil(0.9 * 740) - 1]!
  assert.ok(search.low <= value && value < search.high && search.high - search.low <= 0.01)
  const narrow = startQuantile(0.5, { low: 90, high: 100 }, { width: 1 })
  assert.throws(
    () => narrowQuantile(narrow, histogramCounts(columnOf(all, 'age'), quantileEdges(narrow))),
    (error) => codeOf(error) === 'QUANTILE_OUTSIDE',
  )
  for (const run of [
    () => startQuantile(1.5, { low: 0, high: 1 }, { width: 1 }),
    () => startQuantile(0.5, { low: 1, high: 1 }, { width: 1 }),
  ]) {
    assert.throws(run, (error) => codeOf(error) === 'BAD_QUANTILE')
  }
  assert.throws(
    () => narrowQuantile(narrow, new Float64Array(18)),
    (error) => codeOf(error) === 'BAD_SUM',
  )
})

test('finds the frequent words and their counts, and nothing of the rare ones [L-51]', () => {
  const spoken: Record<string, string> = {
    cleveland: 'angina angina stent bypass naïve',
    hungarian: 'angina stent stent zebra',
    switzerland: 'angina stent unicorn',
    va: 'angina bypass bypass veryveryverylongword',
  }
  const plan: VocabularyPlan = { seed: sha256(utf8('words')), buckets: 500, least: 3, longest: 12 }
  const wordsOf = (hospital: string) => spoken[hospital]!.split(' ')
  const sum = ask((_, hospital) => bucketCounts(wordsOf(hospital), plan))
  const open = openBuckets(sum, plan)
  assert.equal(open.length, 3)
  const found = vocabularyFromSum(
    ask((_, hospital) => bucketWords(wordsOf(hospital), plan, open)),
    plan,
    open,
  )
  assert.deepEqual(found, {
    words: [
      { word: 'angina', count: 5 },
      { word: 'stent', count: 4 },
      { word: 'bypass', count: 3 },
    ],
    mixed: 0,
  })
  // In one bucket all words meet: their total is shown and none of them.
  const crowded = { ...plan, buckets: 1 }
  const total = vocabularyFromSum(bucketWords(Object.values(spoken).join(' ').split(' '), crowded, [0]), crowded, [0])
  assert.deepEqual(total, { words: [], mixed: 15 })
  const accents = ['naïve', 'naïve', 'naïve']
  assert.deepEqual(vocabularyFromSum(bucketWords(accents, crowded, [0]), crowded, [0]).words, [
    { word: 'naïve', count: 3 },
  ])
})

test('adds each member’s noise to its answer before the masks, negative or not, in every ring [L-51]', () => {
  for (const bits of [16, 32, 64] as const) {
    const noisy = ask(
      (rows) =>
        labelCounts(
          rows.map(({ label }) => label),
          2,
        ),
      { bits },
      () => [3n, -5n],
    )
    const exact = labelCounts(
      all.map(({ label }) => label),
      2,
    )
    assert.deepEqual([...noisy], [exact[0]! + 12, exact[1]! - 20])
  }
  assert.throws(
    () => queryWords(new Float64Array(2), { bits: 32, fractionBits: 0, members: 3 }, [1n]),
    (error) => codeOf(error) === 'SHAPE',
  )
})

test('refuses rows, labels, values and edges that make no sense', () => {
  const cases: [string, () => unknown][] = [
    ['BAD_ROW', () => momentsVector([[1, 2]], 3)],
    ['BAD_SUM', () => momentsFromSum(new Float64Array(3))],
    ['BAD_LABEL', () => labelCounts([0, 2], 2)],
    ['NAN', () => histogramCounts([Number.NaN], [0])],
    ['BAD_EDGES', () => histogramCounts([1], [1, 1])],
    ['BAD_VOCABULARY', () => bucketCounts(['a'], { seed, buckets: 4, least: 0, longest: 3 })],
    ['BAD_SUM', () => vocabularyFromSum(new Float64Array(3), { seed, buckets: 4, least: 1, longest: 3 }, [0])],
  ]
  for (const [code, run] of cases) assert.throws(run, (error) => codeOf(error) === code, code)
})

const seed = sha256(utf8('seed'))
