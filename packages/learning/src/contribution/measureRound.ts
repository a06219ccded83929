import { drawBatch, type Engine, type LanguageConfig } from '@potluck/engine'
import { codeOf } from '@potluck/protocol'
import type { UpdateStream } from '../aggregation/streamAggregate.ts'
import { weightOfAll } from '../aggregation/weightOfAll.ts'
import { findCopies } from './findCopies.ts'
import { findIdlers } from './findIdlers.ts'
import { lengthOf, lossAlong, meanGradient, scalesOf } from './roundContribution.ts'
import { elementsAt, samplePlaces } from './sampledGram.ts'
import { textGradientProbe } from './textGradientProbe.ts'

/** One round of a public language job as everybody sees it who aggregates it. */
export type PublicRound = {
  readonly config: LanguageConfig
  /** The text that measures the loss; longer than the context. */
  readonly text: Uint8Array
  /** Windows of it that are drawn for the round. */
  readonly windows: number
  /** Known to nobody before the updates are fixed: decides the windows, and which elements are compared. */
  readonly seed: Uint8Array
  readonly base: Float32Array
  readonly next: Float32Array
  /** The cosine weights of `aggregateStream`, by share. */
  readonly weights: Float32Array
  readonly reference: Float32Array
}

/** What one update did in its round, by the probe alone: nothing of it says whether the work was done. */
export type MeasuredUpdate = {
  readonly share: number
  /** Nats that it took off the loss on the windows; below 0 where it added some. */
  readonly value: number
  /** The other share that it is more like than independent updates are, if any: one of the two may be a copy. */
  readonly alike: number | undefined
  /** Shorter than a thousandth of the usual. */
  readonly isEmpty: boolean
}

/** Elements that updates are compared by: a cosine is then off by about 0.01, and 512 updates take 48 MiB. */
const COMPARED = 8_192

/**
 * Measures every update of a round (L-85): its in-run Shapley value to second order on windows of the text drawn for this round (L-60),
 * which others it is too much like (L-64), whether it is next to nothing (L-65).
 *
 * Which of two is the copy is not said: the order of commitments is not part of a round's record. That an update was known before is not
 * looked for: earlier ones are not at hand.
 *
 * @param updates gone through once, in the order of shares
 * @param pause   awaited between passes of the probe
 * @returns in the order of shares; undefined when the probe's loss or gradient is no finite number, as of a model that has diverged
 * @throws PotluckError SHAPE
 *
 * Order: gradients and products in f64, ascending. Cost: forward and backward passes over twice the windows, beside shares · steps · batch
 * of the round's training; one pass over the updates; shares²/2 products of 8,192 numbers. Memory: 3 f64 vectors of P and those 8,192.
 */
export async function measureRound(
  engine: Engine,
  round: PublicRound,
  updates: UpdateStream,
  pause?: () => Promise<void>,
): Promise<MeasuredUpdate[] | undefined> {
  const { config, text, windows, seed, base, next, weights, reference } = round
  const gradient = await slopeBetween(base, next)
  if (!gradient?.every(Number.isFinite)) return undefined
  const places = base.length > COMPARED ? samplePlaces(base.length, seed, COMPARED) : undefined
  const compared = (update: Float32Array): Float32Array => (places ? elementsAt(update, places) : update)

  const shares: number[] = []
  const [lengths, products, samples] = [[] as number[], [] as number[], [] as Float32Array[]]
  let share = 0
  for await (const update of updates) {
    if (update) {
      shares.push(share)
      lengths.push(lengthOf(update))
      products.push(lossAlong(update, gradient))
      samples.push(compared(update))
    }
    share++
  }
  const own = Float32Array.from(shares, (at) => weights[at] ?? 0)
  const scales = scalesOf(lengths, own, lengthOf(reference))
  const total = weightOfAll(own)
  const alike = likePairs(shares, samples, compared(reference), seed)
  const empty = findIdlers({ members: shares, updates: samples, known: [], seed })
  return shares.map((at, i) => ({
    share: at,
    value: total > 0 ? (own[i]! / total) * scales[i]! * products[i]! : 0,
    alike: alike.get(at),
    isEmpty: empty.has(at),
  }))

  async function slopeBetween(from: Float32Array, to: Float32Array): Promise<Float64Array | undefined> {
    try {
      const drawn = drawBatch(seed, 0, text, windows, config.context)
      const probe = await textGradientProbe(engine, config, drawn, pause)
      return meanGradient((await probe(from)).gradient, (await probe(to)).gradient)
    } catch (error) {
      if (codeOf(error) !== 'NAN') throw error
      return undefined
    }
  }
}

/** Of each share that is in a pair of too much likeness, the other one; of several the one most like it, of equal ones the lower. */
function likePairs(
  shares: readonly number[],
  samples: readonly Float32Array[],
  reference: Float32Array,
  seed: Uint8Array,
): Map<number, number> {
  // The reference is one update more that is surely independent: with two workers alone there would be nobody to be unlike of.
  const members = [...shares, -1]
  const findings = findCopies({ members, updates: [...samples, reference], data: 'same', seed })
  const best = new Map<number, { of: number; measured: number }>()
  const note = (one: number, of: number, measured: number): void => {
    const known = best.get(one)
    const isBetter = !known || measured > known.measured || (measured === known.measured && of < known.of)
    if (one >= 0 && of >= 0 && isBetter) best.set(one, { of, measured })
  }
  for (const { earlier, later, measured } of findings) {
    note(earlier, later, measured)
    note(later, earlier, measured)
  }
  return new Map([...best].map(([one, { of }]) => [one, of]))
}
