/** The rules that know nothing but the updates: values worked by hand, hulls, and second implementations. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomStream } from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import { bucketing } from './bucketing.ts'
import { centeredClipping } from './centeredClipping.ts'
import { geometricMedian } from './geometricMedian.ts'
import { multiKrum } from './multiKrum.ts'
import { nearestNeighbours } from './nearestNeighbours.ts'
import { median, trimmedMean } from './trimmedMean.ts'

const f32 = (...values: number[]): Float32Array => Float32Array.from(values)
const points = (...values: number[]): Float32Array[] => values.map((value) => f32(value))
const seed = sha256(utf8('robust'))

function cloud(count: number, P: number, text: string): Float32Array[] {
  return Array.from({ length: count }, (_, i) => {
    const stream = new RandomStream(sha256(utf8(text)), 29, i)
    return Float32Array.from({ length: P }, (_, j) => stream.normal(j))
  })
}

const squared = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, x, j) => sum + (x - b[j]!) * (x - b[j]!), 0)

test('cuts the ends of each coordinate and averages the rest, worked by hand [L-32]', () => {
  const updates = [f32(1, 9), f32(5, 0), f32(2, 0), f32(100, 3), f32(-50, 6)]
  assert.deepEqual(trimmedMean(updates, 1).update, f32(8 / 3, 3))
  assert.deepEqual(median(updates).update, f32(2, 3))
  // Of the 1 and 1 values left, the third and the fourth member have one each.
  assert.deepEqual(median(updates).weights, f32(0, 0, 0.5, 0.5, 0))
  assert.deepEqual(median(points(9, 1, 4, 2)).update, f32(3))
  assert.deepEqual(trimmedMean(points(9, 1), 7).update, f32(5))
})

test('keeps each coordinate between honest values, to the bit in any order, also where many sort [L-32]', () => {
  for (const [n, liars] of [
    [11, 5],
    [41, 20],
  ] as const) {
    const good = cloud(n - liars, 300, `hull ${n}`)
    const updates = [...Array.from({ length: liars }, () => new Float32Array(300).fill(1e6)), ...good]
    for (const rule of [median, (all: Float32Array[]) => trimmedMean(all, liars)]) {
      const { update } = rule(updates)
      assert.deepEqual(update, rule(updates.toReversed()).update)
      update.forEach((x, j) => {
        const values = good.map((row) => row[j]!)
        assert.ok(x >= Math.min(...values) && x <= Math.max(...values))
      })
    }
  }
})

test('averages those with the nearest neighbours, worked by hand [L-33]', () => {
  // Scores over the two nearest: 0 → 1 + 4, 1 → 1 + 1, 2 → 1 + 4, 4 → 4 + 9, 100 → far.
  const updates = points(0, 1, 2, 4, 100)
  assert.deepEqual(multiKrum(updates, 1, 1).update, f32(1))
  // Of equal scores the lower number first: 0 before 2.
  assert.deepEqual(multiKrum(updates, 1, 2).weights, f32(0.5, 0.5, 0, 0, 0))
  assert.deepEqual(multiKrum(updates, 1).update, f32(1.75))
})

test('chooses whom a slow second Krum chooses [L-33]', () => {
  for (let round = 0; round < 20; round++) {
    const updates = cloud(9, 33, `krum ${round}`)
    const scores = updates.map((a, i) => {
      const others = updates.flatMap((b, k) => (k === i ? [] : [squared(a, b)])).sort((x, y) => x - y)
      return others[0]! + others[1]! + others[2]! + others[3]! + others[4]!
    })
    const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!)
    const { weights } = multiKrum(updates, 2, 4)
    const chosen = [...weights.keys()].filter((i) => weights[i]! > 0)
    assert.deepEqual(
      chosen,
      order.slice(0, 4).sort((a, b) => a - b),
    )
  }
})

test('mixes each with its nearest before another rule, worked by hand [L-33]', () => {
  // Mixtures of four: 7/4 for the first four members, (100 + 4 + 2 + 1) / 4 for the last.
  const updates = points(0, 1, 2, 4, 100)
  const input = { updates, sizes: [1, 1, 1, 1, 1], seed }
  const seen: Float32Array[] = []
  const { update, weights } = nearestNeighbours(input, 1, ({ updates: all }) => {
    seen.push(...all)
    return median([...all])
  })
  assert.deepEqual(seen, points(1.75, 1.75, 1.75, 1.75, 26.75))
  assert.deepEqual(update, f32(1.75))
  assert.deepEqual(weights, f32(0.25, 0.25, 0.25, 0.25, 0))
  // Twins of equal distance: a member is always among its own nearest.
  const twins = nearestNeighbours({ updates: points(5, 5, 5), sizes: [1, 1, 1], seed }, 2, ({ updates: all }) =>
    median([...all]),
  )
  assert.ok(twins.weights.every((weight) => Math.abs(weight - 1 / 3) < 1e-6))
})

test('finds the point with the least sum of distances: of a right triangle, of a line, and where a search finds it [L-34]', () => {
  // Fermat point of (0,0), (1,0), (0,1): both coordinates (3 − √3) / 6.
  const fermat = geometricMedian([f32(0, 0), f32(1, 0), f32(0, 1)]).update
  assert.ok(Math.abs(fermat[0]! - 0.2113248654) < 1e-3 && Math.abs(fermat[1]! - 0.2113248654) < 1e-3)
  assert.ok(Math.abs(geometricMedian(points(1, 2, 4, 8, 1000)).update[0]! - 4) < 0.05)
  const updates = cloud(7, 6, 'weiszfeld')
  const sumTo = (point: Float32Array): number => updates.reduce((sum, u) => sum + Math.sqrt(squared(u, point)), 0)
  const found = geometricMedian(updates).update
  // A pattern search from the same place finds nothing that is better by a thousandth.
  let best = found.slice()
  for (let step = 0.1; step > 1e-5; step /= 2) {
    for (let j = 0; j < best.length; j++) {
      for (const by of [step, -step]) {
        const other = best.slice()
        other[j] = other[j]! + by
        if (sumTo(other) < sumTo(best)) best = other
      }
    }
  }
  assert.ok(sumTo(found) - sumTo(best) < 1e-3 * sumTo(best))
})

test('returns the common update when more than half send it [L-34]', () => {
  const same = f32(1, -2, 3)
  const { update } = geometricMedian([same, f32(9, 9, 9), same, f32(-80, 0, 0), same])
  assert.ok(squared(update, same) < 1e-8)
})

test('steps towards each by no more than the radius, three times, worked by hand [L-34]', () => {
  const updates = points(1, 3, 100)
  // 0 → (1 + 2 + 2) / 3 = 5/3 → + (−2/3 + 4/3 + 2) / 3 = 23/9 → + (−14/9 + 4/9 + 2) / 3 = 77/27
  assert.ok(Math.abs(centeredClipping(updates, 2, undefined).update[0]! - 77 / 27) < 1e-6)
  // From 3: − (1 … ) the first pulls by 2, the last by 2.
  assert.ok(Math.abs(centeredClipping(updates, 2, f32(3)).update[0]! - 3) < 1e-6)
  // The lower median of the distances 1, 3, 100 is 3.
  assert.deepEqual(centeredClipping(updates, undefined, undefined), centeredClipping(updates, 3, undefined))
  const still = centeredClipping(points(0, 0, 7), undefined, undefined)
  assert.deepEqual(still, { update: f32(0), weights: f32(0.5, 0.5, 0) })
})

test('ends within three radii of where it began [L-34]', () => {
  const updates = cloud(9, 40, 'radius').map((update) => update.map((x) => 1000 * x))
  const before = cloud(1, 40, 'before')[0]!
  assert.ok(Math.sqrt(squared(centeredClipping(updates, 0.5, before).update, before)) <= 1.5 * (1 + 1e-6))
})

test('puts everyone into one bucket drawn by the seed, and no one into two [L-35]', () => {
  // Powers of two: a mean of a bucket tells who is in it.
  const updates = points(1, 2, 4, 8, 16, 32, 64)
  const bucketsBy = (text: string): number[][] => {
    const seen: number[][] = []
    const input = { updates, sizes: [1, 2, 3, 4, 5, 6, 7], seed: sha256(utf8(text)) }
    const { weights } = bucketing(input, 2, ({ updates: means, sizes }) => {
      const counts = means.map((_, b) => (b < 3 ? 2 : 1))
      means.forEach((mean, b) => {
        const sum = mean[0]! * counts[b]!
        const members = updates.flatMap(([bit], i) => ((sum & bit!) > 0 ? [i] : []))
        assert.equal(members.length, counts[b])
        assert.equal(
          sizes[b],
          members.reduce((rows, i) => rows + i + 1, 0),
        )
        seen.push(members)
      })
      return { update: means[0]!, weights: f32(1, 0, 0, 0) }
    })
    assert.deepEqual(
      [...weights.keys()].filter((i) => weights[i] === 0.5),
      seen[0],
    )
    return seen
  }
  const first = bucketsBy('a')
  assert.deepEqual(first.flat().sort(), [0, 1, 2, 3, 4, 5, 6])
  assert.deepEqual(bucketsBy('a'), first)
  const others = ['b', 'c', 'd', 'e'].map(bucketsBy)
  assert.ok(others.some((other) => JSON.stringify(other) !== JSON.stringify(first)))
})
