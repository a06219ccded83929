import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import {
  createEngine,
  type Engine,
  initialModelParameters,
  type ModelConfig,
  modelOf,
  trainToEnd,
} from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import { wordStream } from '../../secureSum/wordStream.ts'
import { parseHeartCsv } from '../../tables/parseTable.ts'
import { localStatistics, scalingFromSum } from '../../tables/scaling.ts'
import { clipToNorm } from '../clipToNorm.ts'
import { noiseForBudget } from '../noiseForBudget.ts'
import { type Rows, rowGradients } from '../rowGradients.ts'
import { trainWithNoise } from '../trainWithNoise.ts'
import { addUserNoise } from '../userNoise.ts'
import { inferMembership } from './inferMembership.ts'
import { inversionQuality, invertGradient, peakSignalToNoise } from './invertGradient.ts'
import { rocArea } from './rocArea.ts'

let engine: Engine
before(async () => {
  engine = await createEngine()
})
const seedOf = (text: string): Uint8Array => sha256(utf8(text))

/** Cleveland, scaled by its own statistics: 303 rows of 13 numbers. */
function clevelandRows(): Rows {
  const file = 'processed.cleveland.data'
  const text = readFileSync(new URL(`../../../../../data/heart/${file}`, import.meta.url), 'utf8')
  const rows = parseHeartCsv(text, { file })
  const { mean, sd } = scalingFromSum(localStatistics(rows))
  return {
    kind: 'rows',
    inputs: Float32Array.from(rows.flatMap(({ inputs }) => [...inputs].map((x, j) => (x - mean[j]!) / sd[j]!))),
    targets: Int32Array.from(rows, ({ label }) => label),
  }
}

const pick = (rows: Rows, members: readonly number[], width: number): Rows => ({
  kind: 'rows',
  inputs: Float32Array.from(members.flatMap((row) => [...rows.inputs.subarray(row * width, (row + 1) * width)])),
  targets: Int32Array.from(members, (row) => rows.targets[row]!),
})

test('the area under the curve, its interval and rates equal what is worked by hand', () => {
  // Members 3, 2, 2, 0; outsiders 2, 1, 0, 0: 12.5 of 16 pairs are won.
  const scores = Float64Array.of(3, 2, 2, 0, 2, 1, 0, 0)
  const isMember = [true, true, true, true, false, false, false, false]
  const seen = rocArea(scores, isMember)
  assert.equal(seen.area, 12 / 16)
  assert.equal(seen.tprAt1Percent, 0.25)
  assert.equal(seen.advantage, 0.5)
  // Placements 1, 7/8, 7/8, 1/4 and 1/2, 3/4, 7/8, 7/8.
  const spread = (parts: number[]): number => parts.reduce((sum, x) => sum + (x - 0.75) * (x - 0.75), 0) / 3 / 4
  const half = 1.959963984540054 * Math.sqrt(spread([1, 0.875, 0.875, 0.25]) + spread([0.5, 0.75, 0.875, 0.875]))
  assert.ok(Math.abs(seen.area - seen.low - half) < 1e-12)
  assert.equal(seen.high, Math.min(1, 0.75 + half))
  const perfect = rocArea(Float64Array.of(5, 6, 1, 2), [true, true, false, false])
  assert.deepEqual([perfect.area, perfect.tprAt1Percent, perfect.advantage], [1, 1, 1])
  assert.throws(() => rocArea(Float64Array.of(1, 2), [true, false]), { code: 'BAD_SCORES' })
  assert.throws(() => rocArea(Float64Array.of(1, 2, 3, Number.NaN), [true, true, false, false]), { code: 'BAD_SCORES' })
})

test('a model learnt by heart gives its members away; noise for ε = 2 takes that away [L-56]', async () => {
  const config: ModelConfig = { kind: 'mlp', inputs: 13, hidden: [48], activation: 'relu', classes: 2 }
  const rows = clevelandRows()
  const width = 13
  const gradients = await rowGradients(engine, config)
  const lossesOf = async (parameters: Float32Array): Promise<Float64Array> => {
    gradients.at(parameters)
    return Float64Array.from({ length: rows.targets.length }, (_, row) => gradients.of(rows, row).loss)
  }
  const noise = noiseForBudget({ epsilon: 2, delta: 1e-4, rate: 0.25, steps: 60 }, 'rdp')
  // Without noise: as long as it takes to learn the rows by heart.
  const plain = async (members: readonly number[], model: number): Promise<Float32Array> => {
    const data = pick(rows, members, width)
    const recipe = { steps: 1_500, batch: 16, optimizer: { kind: 'adamw' }, learningRate: 0.01 } as const
    return (await trainToEnd(engine, { config, recipe, data, seed: seedOf(`start ${model}`) })).parameters
  }
  const noisy = async (members: readonly number[], model: number): Promise<Float32Array> => {
    const data = pick(rows, members, width)
    const parameters = initialModelParameters(modelOf(config), seedOf(`start ${model}`))
    const recipe = { steps: 60, batch: members.length / 4, learningRate: 0.3, clip: 1, noise }
    const words = wordStream(seedOf(`noise ${model}`))
    return (await trainWithNoise(engine, { config, recipe, data, parameters, words })).parameters
  }
  const attack = { rows: rows.targets.length, seed: seedOf('halves'), lossesOf }
  const open = await inferMembership({ ...attack, shadows: 0, train: plain })
  const shut = await inferMembership({ ...attack, shadows: 6, train: noisy })
  assert.ok(open.threshold.low > 0.6, `without noise the area is ${open.threshold.area}`)
  assert.ok(shut.threshold.low < 0.5 && shut.threshold.high > 0.5, `with noise ${shut.threshold.area}`)
  assert.ok(shut.ratio !== null && shut.ratio.low < 0.5, `by likelihood ${shut.ratio?.area}`)
})

test('the likelihood ratio finds members that the loss alone does not', async () => {
  // Rows differ more in how hard they are than a member's loss falls: each row's own history tells.
  const rows = 400
  const hardness = Float64Array.from({ length: rows }, (_, i) => 0.2 + ((i * 37) % 100) / 25)
  let inside: readonly number[] = []
  const attack = {
    rows,
    seed: seedOf('toy'),
    train: async (members: readonly number[]): Promise<Float32Array> => {
      inside = members
      return new Float32Array()
    },
    lossesOf: async (): Promise<Float64Array> => {
      const members = new Set(inside)
      return hardness.map((h, i) => h * (members.has(i) ? 0.8 : 1) * (1 + ((i * 7) % 11) / 200))
    },
  }
  const { threshold, ratio } = await inferMembership({ ...attack, shadows: 8 })
  assert.ok(threshold.area < 0.65)
  assert.ok(ratio !== null && ratio.low > 0.9)
  await assert.rejects(inferMembership({ ...attack, shadows: 2 }), { code: 'BAD_ATTACK' })
})

/** Blobs on 8 × 8 pixels, each of its own shape: small images to lose. */
const image = (which: number): Float32Array =>
  Float32Array.from({ length: 64 }, (_, i) => {
    const [x, y] = [i % 8, Math.floor(i / 8)]
    const [a, b] = [x - ((which * 3) % 8), y - ((which * 5) % 8)]
    return Math.max(0, 1 - (a * a + b * b) / (6 + which))
  })

test('one row can be read from its gradient; three in a sum blur, and noise hides them [L-56] [L-57]', async () => {
  for (const config of [
    { kind: 'logistic', inputs: 64, classes: 10 },
    { kind: 'mlp', inputs: 64, hidden: [32], activation: 'sigmoid', classes: 10 },
  ] as const) {
    const gradients = await rowGradients(engine, config)
    gradients.at(initialModelParameters(modelOf(config), seedOf('start')).map((x, i) => x + ((i % 7) - 3) / 100))
    const images = [1, 2, 4].map(image)
    const inputs = Float32Array.from(images.flatMap((values) => [...values]))
    const data: Rows = { kind: 'rows', inputs, targets: Int32Array.of(3, 5, 3) }
    const parts = [0, 1, 2].map((row) => gradients.of(data, row).gradient)
    const sum = parts[0]!.map((value, i) => value + parts[1]![i]! + parts[2]![i]!)
    const alone = inversionQuality(config, parts[0]!, images.slice(0, 1), 1)
    const together = inversionQuality(config, sum, images, 1)
    const clipped = clipToNorm(parts[0]!, 1)
    const noised = addUserNoise(clipped, 1, 1, wordStream(seedOf('noise')))
    const hidden = inversionQuality(config, noised, images.slice(0, 1), 1)
    assert.ok(alone[0]! > 60, `${config.kind}: one row at ${alone[0]} dB`)
    assert.ok(
      together.every((db) => db < alone[0]! - 20),
      `${config.kind}: three rows at ${together} dB`,
    )
    assert.ok(hidden[0]! < 12, `${config.kind}: with noise ${hidden[0]} dB`)
  }
})

test('a guess is judged by its mean square error, and a model without a linear start is refused', () => {
  const truth = Float32Array.of(0, 1, 0, 1)
  assert.equal(peakSignalToNoise(truth, truth, 1), 100)
  assert.ok(Math.abs(peakSignalToNoise(truth, Float32Array.of(0.1, 0.9, 0.1, 0.9), 1) - 20) < 1e-5)
  assert.ok(Math.abs(peakSignalToNoise(truth, Float32Array.of(1, 0, 1, 0), 1)) < 1e-9)
  const cnn: ModelConfig = {
    ...{ kind: 'cnn', height: 8, width: 8, channels: 1, hidden: [], classes: 2 },
    convolutions: [{ channels: 2, kernel: 3, stride: 1, padding: 1, pool: 2 }],
  }
  assert.throws(() => invertGradient(cnn, new Float32Array(10)), { code: 'BAD_ATTACK' })
  assert.throws(() => invertGradient({ kind: 'logistic', inputs: 4, classes: 2 }, new Float32Array(3)), {
    code: 'SHAPE',
  })
})
