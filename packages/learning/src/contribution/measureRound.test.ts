import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createEngine,
  drawBatch,
  encodeText,
  initialParameters,
  type LanguageRecipe,
  RandomStream,
  trainLocally,
  vocabularyOf,
} from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import { aggregateStream } from '../aggregation/streamAggregate.ts'
import { measureRound } from './measureRound.ts'
import { lengthOf, lossAlong, meanGradient } from './roundContribution.ts'
import { textGradientProbe } from './textGradientProbe.ts'

const text = 'the pot is full of rice and luck, and luck is a pot of rice that is full. '.repeat(8)
const config = { vocabulary: vocabularyOf(text), context: 8, width: 16, layers: 1, heads: 2, hidden: 32 }
const recipe: LanguageRecipe = {
  ...{ config, batch: 4, steps: 12, learningRate: 0.01, weightDecay: 0, warmupSteps: 0 },
  ...{ beta1: 0.9, beta2: 0.99, epsilon: 1e-8, stateEverySteps: 12 },
}
const tokens = encodeText(config, text)
const base = initialParameters(config, utf8('start'))
const seed = sha256(utf8('drawn for the round'))
const engine = await createEngine()

async function trained(name: string): Promise<Float32Array> {
  const { parameters } = await trainLocally(engine, { recipe, base, tokens, seed: sha256(utf8(name)) })
  return base.map((x, j) => x - parameters[j]!)
}
const honest = await Promise.all(['a', 'b', 'c', 'd'].map(trained))
const reference = await trained('reference')

async function measured(updates: readonly (Float32Array | undefined)[], windows = 24) {
  const { next, weights } = await aggregateStream(() => updates, base, reference)
  const round = { ...{ config, text: tokens, windows, seed }, ...{ base, next, weights, reference } }
  return { next, weights, found: await measureRound(engine, round, updates) }
}
/** As long as an honest update, in a direction of its own. */
const noise = (): Float32Array => {
  const random = new RandomStream(utf8('noise'), 99, 0)
  const drawn = base.map((_, j) => random.normal(j))
  return drawn.map((x) => (x * lengthOf(honest[0]!)) / lengthOf(drawn))
}

test('honest updates take something off the loss, each about as much, and are neither idle nor like each other [L-85]', async () => {
  const { found } = await measured([honest[0], undefined, ...honest.slice(1)])
  assert.deepEqual(
    found?.map(({ share }) => share),
    [0, 2, 3, 4],
  )
  const values = found?.map(({ value }) => value) ?? []
  assert.ok(Math.min(...values) > 0 && Math.max(...values) < 2 * Math.min(...values), values.join())
  for (const { alike, isEmpty } of found ?? []) assert.deepEqual([alike, isEmpty], [undefined, false])
})

test("values and the reference's own part add up to what the whole move takes off by the mean of both gradients [L-85]", async () => {
  const { next, weights, found } = await measured([...honest, noise()])
  const probe = await textGradientProbe(engine, config, drawBatch(seed, 0, tokens, 24, config.context))
  const gradient = meanGradient((await probe(base)).gradient, (await probe(next)).gradient)
  const lengths = [...honest, noise()].filter((_, i) => weights[i]! > 0).map(lengthOf)
  const wanted = Math.min(lengthOf(reference), lengths.toSorted((a, b) => a - b)[(lengths.length - 1) >> 1]!)
  // A fifth of the whole is the reference's.
  const own = (0.2 * lossAlong(reference, gradient) * wanted) / lengthOf(reference)
  const sum = found!.reduce((all, { value }) => all + value, own)
  const whole = lossAlong(
    base.map((x, j) => x - next[j]!),
    gradient,
  )
  assert.ok(Math.abs(sum - whole) < 1e-5 * Math.abs(whole), `${sum}, the move ${whole}`)
})

test('noise of the usual length takes less off than any honest update [L-85]', async () => {
  const { found } = await measured([...honest, noise()])
  const [last, ...others] = found!.map(({ value }) => value).toReversed()
  assert.ok(last! < 0.3 * Math.min(...others), `${last} beside ${others.join()}`)
})

test('a copy and what it is a copy of are told to be alike, whichever share is the lower, and nobody else is [L-85]', async () => {
  const random = new RandomStream(utf8('disguise'), 99, 0)
  const scale = (0.3 * lengthOf(honest[1]!)) / Math.sqrt(base.length)
  const copy = honest[1]!.map((x, j) => x + scale * random.normal(j))
  for (const [updates, pair] of [
    [
      [...honest, copy],
      [1, 4],
    ],
    [
      [copy, ...honest],
      [0, 2],
    ],
  ] as const) {
    const { found } = await measured(updates)
    const expected = updates.map((_, i) => (pair[0] === i ? pair[1] : pair[1] === i ? pair[0] : undefined))
    assert.deepEqual(
      found?.map(({ alike }) => alike),
      expected,
    )
  }
  // With two workers alone, the reference says what any two have in common.
  const two = await measured([honest[0], honest[1]])
  assert.deepEqual(
    two.found?.map(({ alike }) => alike),
    [undefined, undefined],
  )
  const same = await measured([honest[1], copy])
  assert.deepEqual(
    same.found?.map(({ alike }) => alike),
    [1, 0],
  )
})

test('an update next to nothing is told to be empty, and of a model that has diverged nothing is said [L-85]', async () => {
  const { found } = await measured([...honest, honest[0]!.map((x) => x * 1e-5)])
  assert.deepEqual(
    found?.map(({ isEmpty }) => isEmpty),
    [false, false, false, false, true],
  )
  const broken = base.map(() => 3e38)
  const round = { ...{ config, text: tokens, windows: 2, seed }, ...{ base: broken, next: broken } }
  const weights = Float32Array.of(1)
  assert.equal(await measureRound(engine, { ...round, weights, reference }, [honest[0]]), undefined)
})
