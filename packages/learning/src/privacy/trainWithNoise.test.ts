import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { createEngine, createReferenceEngine, type Engine, exactExp64, type ModelConfig } from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import { wordStream } from '../secureSum/wordStream.ts'
import { gaussianStream } from './gaussianStream.ts'
import { type Rows, rowGradients } from './rowGradients.ts'
import { drawRowsByCoin, trainWithNoise } from './trainWithNoise.ts'

const config: ModelConfig = { kind: 'logistic', inputs: 3, classes: 2 }
const words = (text: string): (() => bigint) => wordStream(sha256(utf8(text)))
const normal = gaussianStream(words('rows'))
const data: Rows = {
  kind: 'rows',
  inputs: Float32Array.from({ length: 60 }, () => normal()),
  targets: Int32Array.from({ length: 20 }, (_, i) => i % 2),
}
const start = Float32Array.of(0.1, -0.2, 0.3, 0.4, -0.5, 0.6, 0.05, -0.05)
let engine: Engine
before(async () => {
  engine = await createEngine()
})

/** Softmax regression worked by hand: layer [3, 2], then two biases. */
function gradientByHand(w: readonly number[], row: number): number[] {
  const x = [...data.inputs.subarray(3 * row, 3 * row + 3)]
  const z = [0, 1].map((c) => x.reduce((sum, value, i) => sum + value * w[2 * i + c]!, w[6 + c]!))
  const p1 = 1 / (1 + exactExp64(z[0]! - z[1]!))
  const off = [1 - p1, p1].map((p, c) => p - (data.targets[row] === c ? 1 : 0))
  return [...x.flatMap((value) => off.map((d) => value * d)), ...off]
}

test('a row has the gradient that is worked by hand, on every engine', async () => {
  for (const one of [engine, createReferenceEngine()]) {
    const gradients = await rowGradients(one, config)
    gradients.at(start)
    for (let row = 0; row < 20; row++) {
      const { gradient } = gradients.of(data, row)
      gradientByHand([...start], row).forEach((value, i) => {
        assert.ok(Math.abs(gradient[i]! - value) < 1e-6)
      })
    }
  }
})

test('steps follow the mean of clipped gradients, but for the noise that was asked for [L-56]', async () => {
  const recipe = { steps: 40, batch: 20, learningRate: 0.5, clip: 0.4, noise: 0.05 }
  const [runs, P] = [60, 8]
  const ends: Float32Array[] = []
  for (let run = 0; run < runs; run++) {
    const options = { config, recipe, data, parameters: start, words: words(`run ${run}`) }
    ends.push((await trainWithNoise(engine, options)).parameters)
  }
  let w = [...start]
  for (let step = 0; step < recipe.steps; step++) {
    const sum = new Array<number>(P).fill(0)
    for (let row = 0; row < 20; row++) {
      const gradient = gradientByHand(w, row)
      const norm = Math.sqrt(gradient.reduce((total, x) => total + x * x, 0))
      for (let i = 0; i < P; i++) sum[i]! += gradient[i]! * Math.min(1, recipe.clip / norm)
    }
    w = w.map((value, i) => value - (recipe.learningRate * sum[i]!) / 20)
  }
  for (let i = 0; i < P; i++) {
    const values = ends.map((end) => end[i]!)
    const mean = values.reduce((sum, x) => sum + x, 0) / runs
    const sd = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / runs)
    // Without curvature the noise of 40 steps would have a deviation of 0.5 · 0.4 · 0.05 / 20 · √40 = 0.00316.
    assert.ok(sd < 0.0045 && sd > 0.0012, `deviation ${sd}`)
    assert.ok(Math.abs(mean - w[i]!) < (5 * sd) / Math.sqrt(runs) + 1e-4, `${mean} for ${w[i]}`)
  }
})

test('what is spent is what the accountants count, and the bits follow from the words [L-56]', async () => {
  const recipe = { steps: 5, batch: 4, learningRate: 0.1, clip: 1, noise: 1.5, momentum: 0.5 }
  const run = (text: string) => trainWithNoise(engine, { config, recipe, data, parameters: start, words: words(text) })
  const [a, b, c] = [await run('a'), await run('a'), await run('c')]
  assert.deepEqual(a.spent, { noise: 1.5, rate: 0.2, steps: 5 })
  assert.deepEqual(a.parameters, b.parameters)
  assert.notDeepEqual(a.parameters, c.parameters)
})

test('each row joins by a coin of its own', () => {
  const stream = words('coins')
  const counts = new Float64Array(30)
  let sizes = 0
  for (let step = 0; step < 2_000; step++) {
    const taken = drawRowsByCoin(30, 3, stream)
    sizes += taken.length * taken.length
    for (const row of taken) counts[row]!++
  }
  // Binomial: mean 200, deviation 13.4; the square of a batch's size has mean 9 + 2.7.
  assert.ok(counts.every((count) => Math.abs(count - 200) < 60))
  assert.ok(Math.abs(sizes / 2_000 - 11.7) < 1)
})

test('what cannot be private is refused before anything runs', async () => {
  const recipe = { steps: 5, batch: 4, learningRate: 0.1, clip: 1, noise: 1 }
  const run = (change: object, more: object = {}) =>
    trainWithNoise(engine, {
      ...{ config, data, parameters: start, words: words('x'), ...more },
      recipe: { ...recipe, ...change },
    })
  await assert.rejects(run({ noise: 0 }), { code: 'BAD_PRIVACY' })
  await assert.rejects(run({ batch: 21 }), { code: 'BAD_PRIVACY' })
  await assert.rejects(run({ clip: 0 }), { code: 'BAD_PRIVACY' })
  await assert.rejects(run({}, { parameters: new Float32Array(3) }), { code: 'SHAPE' })
  const dropout: ModelConfig = { kind: 'mlp', inputs: 3, hidden: [4], activation: 'relu', classes: 2, dropout: 0.5 }
  await assert.rejects(run({}, { config: dropout }), { code: 'BAD_CONFIG' })
})
