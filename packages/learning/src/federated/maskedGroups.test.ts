import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, RandomStream, type TrainingData, type TrainingRecipe } from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import type { FederatedOptions, RoundView } from './FederatedOptions.ts'
import { federateToEnd } from './federate.ts'
import { type MaskedMember, maskedGroups, maskedMean } from './maskedGroups.ts'

const seed = utf8('masked groups test')
const random = new RandomStream(seed, 99, 0)
const P = 500
const members: MaskedMember[] = [5, 40, 100].map((size, m) => ({
  id: `m${m}`,
  size,
  update: Float32Array.from({ length: P }, (_, i) => random.normal(m * P + i)),
  secret: sha256(utf8(`secret ${m}`)),
}))

test('every client has one group of at least the size asked for, the same in every round', () => {
  for (const [clients, size] of [
    [3, 3],
    [10, 3],
    [11, 4],
    [100, 7],
  ] as const) {
    const groups = maskedGroups(seed, clients, size)
    assert.deepEqual(
      groups.flat().sort((a, b) => a - b),
      Array.from({ length: clients }, (_, i) => i),
    )
    for (const group of groups) assert.ok(group.length >= size && group.length < 2 * size)
    assert.deepEqual(maskedGroups(seed, clients, size), groups)
  }
  assert.throws(() => maskedGroups(seed, 10, 2), /groups of 3 to the 10 clients, got 2/)
  assert.throws(() => maskedGroups(seed, 3, 4), /got 4/)
})

test('the mean of a group is the ring sum of its encoded updates to the bit, in whatever order they come [L-83]', () => {
  const unit = 1_048_576
  const rows = 145
  const { mean } = maskedMean(members, { groupSize: 3 }, undefined, 1)
  for (let i = 0; i < P; i++) {
    let whole = 0n
    for (const { update, size } of members) {
      whole += BigInt(Math.round(Math.fround(update[i]! * (size / rows)) * unit))
    }
    assert.equal(mean[i], Math.fround(Number(whole) / unit))
  }
  assert.deepEqual(maskedMean([...members].reverse(), { groupSize: 3 }, undefined, 1).mean, mean)
})

test('with noise each member counts the same, is clipped, and the sum is off by the noise that was asked for', () => {
  const noise = { clip: 2, multiplier: 0.5 }
  const { mean } = maskedMean(members, { groupSize: 3 }, noise, 1)
  let square = 0
  for (let i = 0; i < P; i++) {
    const exact = members.reduce((sum, { update }) => {
      let norm = 0
      for (const x of update) norm += x * x
      return sum + (update[i]! * 2) / Math.sqrt(norm)
    }, 0)
    square += (3 * mean[i]! - exact) * (3 * mean[i]! - exact)
  }
  const deviation = Math.sqrt(square / P)
  // 500 draws: the deviation is within a tenth of clip · multiplier = 1 in all but one of a thousand seeds; this is one seed.
  assert.ok(deviation > 0.9 && deviation < 1.1, `deviation ${deviation}`)
})

test('a value that leaves no room for the other members is refused', () => {
  const large = members.map((member) => ({ ...member, update: member.update.map(() => 3e3) }))
  assert.throws(() => maskedMean(large, { groupSize: 3 }, undefined, 1), /no room|fewer fraction bits|NO_HEADROOM/)
})

test('a federation under masks moves as one without, and shows nothing but the means of its groups', async () => {
  const engine = await createEngine()
  const local: TrainingRecipe = { steps: 4, batch: 8, optimizer: { kind: 'sgd' }, learningRate: 0.1 }
  const clouds = (stream: number): TrainingData => {
    const draw = new RandomStream(seed, 98, stream)
    const targets = Int32Array.from({ length: 20 + stream }, (_, row) => row % 2)
    const inputs = Float32Array.from({ length: 4 * targets.length }, (_, i) => draw.normal(i) + ((i >> 2) % 2))
    return { kind: 'rows', inputs, targets }
  }
  const clients = Array.from({ length: 7 }, (_, i) => ({ id: `c${i}`, data: clouds(i) }))
  const options: FederatedOptions = {
    config: { kind: 'logistic', inputs: 4, classes: 2 },
    local,
    clients,
    rounds: 3,
    seed,
  }
  const views: RoundView[] = []
  const plain = await federateToEnd(engine, options)
  const masked = await federateToEnd(engine, {
    ...options,
    masks: { groupSize: 3 },
    onUpdates: (view) => void views.push(view),
  })
  masked.parameters.forEach((value, i) => {
    assert.ok(Math.abs(value - plain.parameters[i]!) < 1e-5, `parameter ${i}: ${value}`)
  })
  assert.equal(views[0]!.updates.length, 2)
  assert.deepEqual(
    views[0]!.groups!.map((group) => group.length),
    [4, 3],
  )
  await assert.rejects(
    federateToEnd(engine, { ...options, masks: { groupSize: 3 }, compression: { kind: 'dense', bits: 8 } }),
    /cannot be made smaller/,
  )
  await assert.rejects(
    federateToEnd(engine, { ...options, masks: { groupSize: 3 }, noise: { clip: 1, multiplier: 1 } }),
    /does not weigh by rows/,
  )
})
