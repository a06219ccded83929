import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  createEngine,
  type Engine,
  initialModelParameters,
  type ModelConfig,
  modelOf,
  RandomStream,
} from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import { wordStream } from '../../secureSum/wordStream.ts'
import { type Rows, rowGradients } from '../rowGradients.ts'
import { addUserNoise } from '../userNoise.ts'
import { gradientMatch, totalVariation } from './gradientMatch.ts'
import { inferLabels } from './inferLabels.ts'
import { peakSignalToNoise } from './invertGradient.ts'
import { addRowGradient } from './mixedDerivative.ts'
import { rectifierLayers } from './rectifierLayers.ts'
import { type InputSearch, searchInputs } from './searchInputs.ts'

let engine: Engine
before(async () => {
  engine = await createEngine()
})
const seedOf = (text: string): Uint8Array => sha256(utf8(text))

/** Two convolutions with everything a convolution may have, then two linear layers. */
const deep: ModelConfig = {
  ...{ kind: 'cnn', height: 9, width: 8, channels: 2, hidden: [7], classes: 4 },
  convolutions: [
    { channels: 3, kernel: 3, stride: 1, padding: 1, pool: 2 },
    { channels: 4, kernel: 2, stride: 2, padding: 1, pool: 1 },
  ],
}
const small: ModelConfig = {
  ...{ kind: 'cnn', height: 12, width: 12, channels: 1, hidden: [], classes: 5 },
  convolutions: [{ channels: 8, kernel: 5, stride: 1, padding: 2, pool: 2 }],
}

const uniform = (seed: string, length: number): Float32Array => {
  const random = new RandomStream(seedOf(seed), 1, 0)
  return Float32Array.from({ length }, (_, i) => random.uniform(i))
}
const lengthOf = (values: Iterable<number>): number =>
  Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0))
/** The usual start, biases moved away from 0. */
const parametersOf = (config: ModelConfig): Float32Array => {
  const start = initialModelParameters(modelOf(config), seedOf('start'))
  const off = uniform('biases', start.length)
  return start.map((value, i) => value + (off[i]! - 0.5) / 10)
}
const sumOf = (parts: readonly Float32Array[]): Float32Array =>
  parts[0]!.map((_, i) => parts.reduce((total, part) => total + part[i]!, 0))

test("the attacker's own gradient is the engine's", async () => {
  for (const config of [
    deep,
    small,
    { kind: 'mlp', inputs: 20, hidden: [9, 6], activation: 'relu', classes: 4 },
    { kind: 'logistic', inputs: 20, classes: 4 },
  ] as const) {
    const parameters = parametersOf(config)
    const inputs = uniform('row', rectifierLayers(config)[0]!.inputs)
    const gradients = await rowGradients(engine, config)
    gradients.at(parameters)
    const { gradient } = gradients.of({ kind: 'rows', inputs, targets: Int32Array.of(2) }, 0)
    const own = new Float64Array(gradient.length)
    addRowGradient(rectifierLayers(config), Float64Array.from(parameters), Float64Array.from(inputs), 2, own)
    const length = lengthOf(own)
    const off = lengthOf(own.map((value, i) => value - gradient[i]!))
    assert.ok(length > 0.1 && off < 1e-6 * length, `${config.kind}: ${off} of ${length}`)
  }
})

test('the derivative of the match is that of finite differences, for one row and for a sum of three', () => {
  const config = deep
  const layers = rectifierLayers(config)
  const w = Float64Array.from(parametersOf(config))
  const rows = [0, 1, 2].map((row) => Float64Array.from(uniform(`row ${row}`, 144)))
  const seen = new Float64Array(w.length)
  for (let row = 0; row < 3; row++) {
    addRowGradient(layers, w, Float64Array.from(uniform(`true ${row}`, 144)), row, seen)
  }
  for (const [guess, labels] of [
    [rows.slice(0, 1), [1]],
    [rows, [0, 1, 3]],
  ] as const) {
    const total = (): number =>
      gradientMatch(layers, w, seen, guess, labels).distance +
      guess.reduce((sum, row) => sum + totalVariation(row, config, 0.3, new Float64Array(144)), 0)
    const { slopes } = gradientMatch(layers, w, seen, guess, labels)
    for (const [i, row] of guess.entries()) totalVariation(row, config, 0.3, slopes[i]!)
    let largest = 0
    for (const [r, row] of guess.entries()) {
      for (let i = 0; i < row.length; i += 5) {
        const [value, step] = [row[i]!, 1e-6]
        row[i] = value + step
        const above = total()
        row[i] = value - step
        const below = total()
        row[i] = value
        const difference = (above - below) / (2 * step)
        largest = Math.max(largest, Math.abs(difference))
        assert.ok(Math.abs(difference - slopes[r]![i]!) < 1e-7, `${r}, ${i}: ${slopes[r]![i]} for ${difference}`)
      }
    }
    // The tolerance above says something: slopes are ten thousand times as large.
    assert.ok(largest > 1e-3)
  }
})

test('a distance is 0 at the rows themselves, whatever factor the gradient was sent with', () => {
  const layers = rectifierLayers(small)
  const w = Float64Array.from(parametersOf(small))
  const row = Float64Array.from(uniform('row', 144))
  const seen = new Float64Array(w.length)
  addRowGradient(layers, w, row, 3, seen)
  for (const factor of [1, 0.01]) {
    const sent = seen.map((value) => value * factor)
    assert.ok(Math.abs(gradientMatch(layers, w, sent, [row], [3]).distance) < 1e-12)
    const other = seen.map((value) => -value * factor)
    assert.ok(Math.abs(gradientMatch(layers, w, other, [row], [3]).distance - 2) < 1e-12)
  }
  assert.equal(gradientMatch(layers, w, new Float64Array(w.length), [row], [3]).distance, 1)
})

test('classes are read from the last bias: one row always, a sum while the model is undecided', async () => {
  // Two rows of class 1 and one of class 2 at p = 1/4 each; also after clipping.
  assert.deepEqual(inferLabels(Float32Array.of(0.75, -1.25, -0.25, 0.75), 3), [1, 1, 2])
  assert.deepEqual(inferLabels(Float32Array.of(0.075, -0.125, -0.025, 0.075), 3), [1, 1, 2])
  assert.deepEqual(inferLabels(Float32Array.of(0.9, -0.99, 0.05, 0.04), 1), [1])
  const gradients = await rowGradients(engine, small)
  gradients.at(parametersOf(small))
  for (let label = 0; label < 5; label++) {
    const { gradient } = gradients.of(
      { kind: 'rows', inputs: uniform(`${label}`, 144), targets: Int32Array.of(label) },
      0,
    )
    assert.deepEqual(inferLabels(gradient.slice(-5), 1), [label])
  }
})

/** A ring, a cross and a bar on 12 × 12 pixels. */
const drawings = [
  (x: number, y: number): boolean => Math.abs(lengthOf([x - 5.5, y - 5.5]) - 4) < 1,
  (x: number, y: number): boolean => Math.abs(x - y) < 1.5 || Math.abs(x + y - 11) < 1.5,
  (x: number, y: number): boolean => x > 7 && x < 10 && y > 0 && y < 11,
].map((isInk) => Float32Array.from({ length: 144 }, (_, i) => (isInk(i % 12, Math.floor(i / 12)) ? 1 : 0)))
const search: InputSearch = {
  ...{ rows: 1, steps: 300, starts: 2, rate: 0.1, smoothness: 0.001, low: 0, high: 1 },
  seed: seedOf('search'),
}

test('an image is read through a convolution, alone and among three of other classes; likeness and noise hide it [L-86]', async () => {
  const parameters = initialModelParameters(modelOf(small), seedOf('start'))
  const gradients = await rowGradients(engine, small)
  gradients.at(parameters)
  const gradientsOf = (labels: readonly number[]): Float32Array[] => {
    const inputs = Float32Array.from(drawings.flatMap((values) => [...values]))
    const data: Rows = { kind: 'rows', inputs, targets: Int32Array.from(labels) }
    return labels.map((_, row) => gradients.of(data, row).gradient)
  }
  const quality = (sent: Float32Array, truths: readonly Float32Array[], options: Partial<InputSearch>): number[] => {
    const { rows } = searchInputs(small, parameters, sent, { ...search, rows: truths.length, ...options })
    return truths.map((truth) => Math.max(...rows.map((row) => peakSignalToNoise(truth, row, 1))))
  }
  const unlike = gradientsOf([0, 3, 1])
  const [alone = 0] = quality(unlike[0]!, drawings.slice(0, 1), {})
  const apart = quality(sumOf(unlike), drawings, {})
  const alike = quality(sumOf(gradientsOf([1, 1, 1])), drawings, {})
  const noised = addUserNoise(unlike[0]!, 1, 1, wordStream(seedOf('noise')))
  const [hidden = 0] = quality(noised, drawings.slice(0, 1), { labels: [0], smoothness: 0.03 })
  // Over four seeds: alone 45 to 46 dB, apart 44 to 59, alike 6 to 13, noised 5; the best even grey gives 6 to 9.
  assert.ok(alone > 35, `alone ${alone} dB`)
  assert.ok(
    apart.every((db) => db > 35),
    `three classes ${apart} dB`,
  )
  // 20 dB: a hundred times the square error.
  assert.ok(
    alike.every((db) => db < alone - 20),
    `one class ${alike} dB`,
  )
  assert.ok(hidden < 7, `through noise ${hidden} dB`)
})

test('of its starts a search keeps the best fit, and it is a function of its seed [L-86]', async () => {
  const parameters = initialModelParameters(modelOf(small), seedOf('start'))
  const gradients = await rowGradients(engine, small)
  gradients.at(parameters)
  const { gradient } = gradients.of({ kind: 'rows', inputs: drawings[1]!, targets: Int32Array.of(4) }, 0)
  const quick = { ...search, steps: 40, smoothness: 0 }
  const distances = [1, 2, 3, 4, 5].map(
    (starts) => searchInputs(small, parameters, gradient, { ...quick, starts }).distance,
  )
  assert.deepEqual(
    distances.toSorted((a, b) => b - a),
    distances,
  )
  assert.ok(distances[4]! < distances[0]!, `${distances}`)
  const again = [1, 2].map(() => searchInputs(small, parameters, gradient, quick))
  assert.deepEqual(again[0], again[1])
  assert.deepEqual(again[0]!.labels, [4])
  assert.ok(again[0]!.rows[0]!.every((value) => value >= 0 && value <= 1))
  const other = searchInputs(small, parameters, gradient, { ...quick, seed: seedOf('another') })
  assert.notDeepEqual(other.rows, again[0]!.rows)
})

test('a search that cannot be made is refused with its field', () => {
  const parameters = parametersOf(small)
  const refused = (options: Partial<InputSearch>, message: RegExp): void => {
    assert.throws(() => searchInputs(small, parameters, parameters, { ...search, ...options }), {
      code: 'BAD_ATTACK',
      message,
    })
  }
  refused({ rows: 0 }, /rows .* got 0/)
  refused({ steps: 1.5 }, /steps .* got 1.5/)
  refused({ starts: Number.NaN }, /starts .* got NaN/)
  refused({ rate: 0 }, /rate .* got 0/)
  refused({ smoothness: -1 }, /smoothness .* got -1/)
  refused({ low: 1, high: 1 }, /low and high .* 1 and 1/)
  refused({ labels: [5] }, /labels .* got 5/)
  refused({ labels: [1, 2] }, /labels .* got 1, 2/)
  assert.throws(() => searchInputs(small, parameters, parameters.subarray(1), search), { code: 'SHAPE' })
  const broken = parameters.with(3, Number.NaN)
  assert.throws(() => searchInputs(small, parameters, broken, search), { code: 'NAN', message: /NaN at 3/ })
  for (const config of [
    { kind: 'mlp', inputs: 4, hidden: [3], activation: 'tanh', classes: 2 },
    { kind: 'mlp', inputs: 4, hidden: [3], activation: 'relu', regression: 1 },
    { kind: 'mlp', inputs: 4, hidden: [3], activation: 'relu', classes: 2, dropout: 0.5 },
    { kind: 'gpt', vocabulary: 4, context: 4, width: 4, layers: 1, heads: 1 },
  ] as const) {
    assert.throws(() => rectifierLayers(config), { code: 'BAD_ATTACK' })
  }
})
