import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { codeOf, utf8 } from '@potluck/protocol'
import { groupByLatency } from './groupByLatency.ts'
import { regionalMean, type WeightedUpdate, weightedMeanOf } from './regionalMean.ts'

const P = 257
const HALF_OF_23_BITS = 1 / 8_388_608

function drawUpdates(count: number, step: number): WeightedUpdate[] {
  const random = new RandomStream(utf8('regions'), 70, step)
  return Array.from({ length: count }, (_, i) => ({
    update: Float32Array.from({ length: P }, (_, p) => random.normal(i * P + p) * (p % 3 === 0 ? 1e-4 : 1)),
    weight: 1 + random.below(7 * 1_000_000 + i, 5_000),
  }))
}

test('two levels equal one up to the stated rounding of the regional means [L-71]', () => {
  for (let step = 0; step < 20; step++) {
    const updates = drawUpdates(40, step)
    const sizes = [1 + step, 3, 7, 0]
    const starts = [0, 1 + step, 4 + step, 11 + step, 11 + step]
    const regions = [...sizes, 40].map((size, i) => updates.slice(starts[i], starts[i]! + size))
    const flat = weightedMeanOf(updates)
    const nested = regionalMean(regions)
    assert.equal(nested.weight, flat.weight)
    const means = regions.filter((region) => region.length > 0).map(weightedMeanOf)
    for (let p = 0; p < P; p++) {
      const size = means.reduce((sum, mean) => sum + mean.weight * Math.abs(mean.update[p]!), 0) / flat.weight
      const gap = Math.abs(nested.update[p]! - flat.update[p]!)
      assert.ok(gap <= HALF_OF_23_BITS * size + 1.5e-45, `element ${p}: ${gap}`)
    }
  }
})

test('gives the same bits as adding up in the open, and the update itself where there is one [L-71]', () => {
  const updates = drawUpdates(3, 99)
  const [a, b, c] = updates as [WeightedUpdate, WeightedUpdate, WeightedUpdate]
  const total = a.weight + b.weight + c.weight
  const mean = weightedMeanOf(updates).update
  for (let p = 0; p < P; p++) {
    const sum = a.weight * a.update[p]! + b.weight * b.update[p]! + c.weight * c.update[p]!
    assert.equal(mean[p], Math.fround(sum / total))
  }
  assert.deepEqual(regionalMean([[], [a]]).update, a.update)
})

test('refuses nothing to average, other lengths and weights that are no whole numbers', () => {
  const one = { update: new Float32Array(2), weight: 1 }
  assert.throws(
    () => weightedMeanOf([]),
    (error) => codeOf(error) === 'NO_UPDATES',
  )
  assert.throws(
    () => weightedMeanOf([one, { update: new Float32Array(3), weight: 1 }]),
    (error) => codeOf(error) === 'SHAPE',
  )
  for (const weight of [0, -1, 0.5, Number.NaN])
    assert.throws(
      () => weightedMeanOf([{ ...one, weight }]),
      (error) => codeOf(error) === 'BAD_WEIGHT',
    )
})

test('groups members by short ways, each in one cluster with its centre first [L-71]', () => {
  const place = [0, 5, 100, 8, 104, 300]
  const table = place.map((a) => place.map((b) => Math.abs(a - b)))
  assert.deepEqual(groupByLatency(table, 20), [[0, 1, 3], [2, 4], [5]])
  assert.deepEqual(groupByLatency(table, 0), [[0], [1], [2], [3], [4], [5]])
  assert.deepEqual(groupByLatency(table, 1_000), [[0, 1, 2, 3, 4, 5]])
  // The nearest centre, not the first one.
  const three = [0, 30, 18]
  assert.deepEqual(
    groupByLatency(
      three.map((a) => three.map((b) => Math.abs(a - b))),
      20,
    ),
    [[0], [1, 2]],
  )
})

test('takes the slower direction and refuses a table with holes [L-71]', () => {
  assert.deepEqual(
    groupByLatency(
      [
        [0, 1],
        [90, 0],
      ],
      20,
    ),
    [[0], [1]],
  )
  assert.throws(
    () => groupByLatency([[0], [1, 0]], 20),
    (error) => codeOf(error) === 'BAD_LATENCY',
  )
})
