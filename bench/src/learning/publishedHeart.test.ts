import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, modelOf } from '@potluck/engine'
import { localTrainer, type Rows } from '@potluck/learning'
import { heartInputs, heartTables } from './heartHospitals.ts'
import { mersenneTwister, torchLinearStart } from './mersenneTwister.ts'
import { heartAccuracy, heartConfig, heartStart } from './publishedHeart.ts'

test('the generator gives the numbers that NumPy and PyTorch give for seed 42', () => {
  const next = mersenneTwister(42)
  assert.deepEqual([next(), next(), next()], [1608637542, 3421126067, 4083286876])
  // torch.manual_seed(42); torch.rand(1) is 0.8823.
  const { weights, bias } = torchLinearStart(42, 4)
  assert.equal(weights.length, 4)
  assert.ok(Math.abs((weights[0]! + 0.5) / 1 - 0.8823) < 1e-4 && Math.abs(bias) <= 0.5)
})

test('the tables are FLamby’s: 740 rows, own scale at each hospital, a common one for all', () => {
  const { own, pooled } = heartTables()
  assert.deepEqual(
    own.map(({ train, test: held }) => [train.targets.length, held.targets.length]),
    [
      [199, 104],
      [172, 89],
      [30, 16],
      [85, 45],
    ],
  )
  assert.equal(pooled.train.targets.length + pooled.test.targets.length, 740)
  for (const { train } of [...own, pooled]) {
    for (let j = 0; j < heartInputs; j++) {
      let sum = 0
      for (let row = 0; row < train.targets.length; row++) sum += train.inputs[row * heartInputs + j]!
      assert.ok(Math.abs(sum / train.targets.length) < 1e-6)
    }
  }
})

test('two outputs at half the rate step as one output through a sigmoid', async () => {
  const engine = await createEngine()
  const { train } = heartTables().own[3]!
  const row = (i: number): Rows => ({
    kind: 'rows',
    inputs: train.inputs.slice(i * heartInputs, (i + 1) * heartInputs),
    targets: train.targets.slice(i, i + 1),
  })
  const recipe = { steps: 1, batch: 1, optimizer: { kind: 'sgd' }, learningRate: 0.1 / 2 } as const
  const trainer = await localTrainer(engine, modelOf(heartConfig), recipe)
  const start = heartStart(43)
  const weightsOf = (p: Float32Array): number[] =>
    Array.from({ length: heartInputs + 1 }, (_, j) => p[2 * j + 1]! - p[2 * j]!)
  for (const i of [0, 7, 20]) {
    const data = row(i)
    const { update } = await trainer.train({ base: start, data, seed: new Uint8Array(32) })
    const w = weightsOf(start)
    const x = [...data.inputs, 1]
    const z = x.reduce((sum, value, j) => sum + value * w[j]!, 0)
    const off = 1 / (1 + Math.exp(-z)) - data.targets[0]!
    weightsOf(start.map((value, j) => value - update[j]!)).forEach((value, j) => {
      assert.ok(Math.abs(value - (w[j]! - 0.1 * off * x[j]!)) < 1e-6)
    })
  }
})

test('the accuracy of a model that always says yes is the share of the sick', () => {
  const tables = heartTables()
  const yes = new Float32Array(2 * heartInputs + 2)
  yes[2 * heartInputs + 1] = 1
  const { sites, pooled } = heartAccuracy(tables, yes)
  const sick = ({ targets }: Rows): number => [...targets].reduce((sum, y) => sum + y, 0) / targets.length
  assert.deepEqual(
    sites,
    tables.own.map(({ test: held }) => sick(held)),
  )
  assert.equal(pooled, sick(tables.pooled.test))
})
