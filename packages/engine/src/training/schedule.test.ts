import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactCos } from '../math/cos.ts'
import { RandomStream, streamPurpose } from '../random/RandomStream.ts'
import { permutationOf, rowDrawer } from './drawRows.ts'
import { noiseOf } from './noiseOf.ts'
import { rateAt, stepNumbers } from './schedule.ts'
import { stepRates } from './stepRates.ts'
import type { TrainingRecipe } from './TrainingRecipe.ts'

const f = Math.fround
const recipe: TrainingRecipe = {
  steps: 10,
  batch: 1,
  optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.95 },
  learningRate: 0.01,
  warmupSteps: 2,
  weightDecay: 0.1,
}
const seed = Uint8Array.of(1, 2, 3)

test('the rate warms up and then stays, falls in a line or along a cosine, worked by hand [E-31]', () => {
  const rates = (change: Partial<TrainingRecipe>): number[] =>
    Array.from({ length: 10 }, (_, i) => rateAt({ ...recipe, ...change }, i + 1))
  assert.deepEqual(rates({}), [f(f(0.01) * 0.5), ...new Array<number>(9).fill(f(0.01))])
  const linear = rates({ decay: 'linear', floor: 0.002 })
  assert.equal(linear[1], f(0.01))
  // Half way: step 6 of steps 2 to 10.
  assert.equal(linear[5], f(f(0.002) + f(f(f(0.01) - f(0.002)) * 0.5)))
  assert.equal(linear[9], f(0.002))
  const cosine = rates({ decay: 'cosine', floor: 0.002 })
  assert.equal(cosine[1], f(0.01))
  const quarter = f(0.5 * f(1 + exactCos(f(f(Math.PI) * 0.25))))
  assert.equal(cosine[3], f(f(0.002) + f(f(f(0.01) - f(0.002)) * quarter)))
  assert.ok(Math.abs(quarter - 0.8535534) < 1e-6)
  assert.equal(cosine[9], f(0.002))
  for (let i = 2; i < 10; i++) assert.ok(cosine[i]! < cosine[i - 1]!)
})

test('the numbers of a step are those of the character model, and start anywhere [E-16] [E-31]', () => {
  const old = stepRates({
    ...recipe,
    config: { vocabulary: 'ab', context: 1, width: 1, layers: 1, heads: 1, hidden: 1 },
    warmupSteps: 2,
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    stateEverySteps: 1,
  })
  const all = [...stepNumbers(recipe)]
  assert.deepEqual(all, [...old])
  assert.deepEqual([...stepNumbers(recipe, 4)], all.slice(3))
  const [muon] = stepNumbers({ ...recipe, optimizer: { kind: 'muon', matrixRate: 10 } })
  assert.deepEqual([...muon!.slice(4)], [f(muon![0]! * 10), f(f(muon![0]! * 10) * f(0.1))])
})

test('rows come in an order drawn anew for each epoch, each once, worked by hand [E-32]', () => {
  const random = new RandomStream(seed, streamPurpose.batches, 0)
  const order = [0, 1, 2, 3]
  for (const [index, i] of [3, 2, 1].entries()) {
    const j = random.below(index, i + 1)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  assert.deepEqual([...permutationOf(seed, 0, 4)], order)
  const draw = rowDrawer(seed, 7, 3)
  const drawn = Array.from({ length: 14 }, (_, step) => [...draw(step)]).flat()
  for (let epoch = 0; epoch < 6; epoch++) {
    const rows = drawn.slice(7 * epoch, 7 * epoch + 7)
    assert.deepEqual(rows, [...permutationOf(seed, epoch, 7)])
    assert.deepEqual(rows.toSorted(), [0, 1, 2, 3, 4, 5, 6])
  }
  // Whichever step is asked for first.
  assert.deepEqual([...rowDrawer(seed, 7, 3)(9)], drawn.slice(27, 30))
  assert.notDeepEqual(permutationOf(seed, 0, 50), permutationOf(seed, 1, 50))
})

test('every order of four rows is about equally frequent [E-32]', () => {
  const counts = new Map<string, number>()
  for (let epoch = 0; epoch < 4800; epoch++) {
    const key = permutationOf(seed, epoch, 4).join()
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  assert.equal(counts.size, 24)
  for (const count of counts.values()) assert.ok(Math.abs(count - 200) < 60, `${count}`)
})

test('noise is uniform, of its own stream, and differs from step to step [E-33]', () => {
  const noise = noiseOf(seed, 5, 4000)
  assert.equal(noise[9], new RandomStream(seed, streamPurpose.noise, 5).uniform(9))
  assert.deepEqual(noiseOf(seed, 5, 10), noise.slice(0, 10))
  assert.notDeepEqual(noiseOf(seed, 6, 10), noise.slice(0, 10))
  assert.ok(noise.every((u) => u >= 0 && u < 1))
  const below = noise.filter((u) => u < 0.2).length
  assert.ok(Math.abs(below - 800) < 100)
})
