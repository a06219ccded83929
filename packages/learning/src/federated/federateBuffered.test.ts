import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, RandomStream, type TrainingData } from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import type { Buffering, FederatedCheckpoint, FederatedOptions, FederatedRound } from './FederatedOptions.ts'
import { federate, federateToEnd } from './federate.ts'
import { drawDurations } from './federateBuffered.ts'

const engine = await createEngine()
const seed = utf8('federate buffered test')

function clouds(rows: number, stream: number): TrainingData {
  const random = new RandomStream(seed, 95, stream)
  const targets = Int32Array.from({ length: rows }, (_, row) => row % 2)
  const inputs = Float32Array.from({ length: 4 * rows }, (_, i) => random.normal(i) + (targets[i >> 2]! ? 1 : -1))
  return { kind: 'rows', inputs, targets }
}

const clients = [0, 1, 2, 3].map((stream) => ({ id: `c${stream}`, data: clouds(40, stream) }))
const options: FederatedOptions = {
  config: { kind: 'logistic', inputs: 4, classes: 2 },
  local: { steps: 5, batch: 8, optimizer: { kind: 'sgd' }, learningRate: 0.1 },
  clients,
  rounds: 8,
  seed,
  rule: { kind: 'mean' },
  validation: clouds(300, 9),
}

async function run(buffering: Buffering, changes: Partial<FederatedOptions> = {}) {
  const rounds: FederatedRound[] = []
  const generator = federate(engine, { ...options, ...changes, buffered: buffering })
  for (;;) {
    const next = await generator.next()
    if (next.done) return { rounds, ...next.value }
    rounds.push(next.value)
  }
}

test('with equal speeds and a buffer for all, it is the run in rounds', async () => {
  const inRounds = await federateToEnd(engine, options)
  const buffered = await run({ size: 4, mostStaleness: 0, durations: [1, 1, 1, 1] })
  buffered.parameters.forEach((value, i) => {
    assert.ok(Math.abs(value - inRounds.parameters[i]!) < 1e-6, `parameter ${i}`)
  })
  assert.equal(buffered.bytesUp, inRounds.bytesUp)
})

test('a slow client is not waited for; what it delivers counts by its age [L-72]', async () => {
  const { rounds, evaluation } = await run(
    { size: 2, mostStaleness: 100, durations: [1, 1.1, 1.2, 9.05] },
    { rounds: 20 },
  )
  const slow = rounds.filter(({ members }) => members.includes(3))
  assert.ok(slow.length >= 1 && slow.length <= 2, `${slow.length} of 20 steps had the slow one`)
  const [first] = slow
  const place = first!.members.indexOf(3)
  const age = first!.round - 1
  const [other] = [...first!.weights].filter((_, i) => i !== place)
  assert.ok(first!.weights[place]! < other!, 'older than the one beside it')
  // Weights are 1/√(1 + age) before they are made to sum to 1; the other is at most two steps old.
  assert.ok(first!.weights[place]! / other! <= Math.sqrt(3) / Math.sqrt(1 + age) + 1e-6)
  assert.ok(evaluation!.accuracy! > 0.9)
})

test('a delivery older than allowed makes no part of a step, and its bytes are counted all the same', async () => {
  const strict = await run({ size: 2, mostStaleness: 1, durations: [1, 1.1, 1.2, 9.05] }, { rounds: 20 })
  assert.ok(strict.rounds.every(({ members }) => !members.includes(3)))
  const sizes = new Set(strict.rounds.map(({ bytesUp }) => bytesUp))
  assert.ok(sizes.size > 1, 'the steps during which the late one came cost more')
})

test('a stopped run goes on to the same bits, with models in flight and with feedback [L-80]', async () => {
  const changes = {
    compression: { kind: 'topk', keep: 3, feedback: 8 },
    outer: { kind: 'sgd', rate: 0.7, momentum: 0.5 },
  } as const
  const buffering = { size: 3, mostStaleness: 5, durations: [1, 1.3, 2.1, 3.7] }
  const whole = await run(buffering, changes)
  const generator = federate(engine, { ...options, ...changes, buffered: buffering })
  let half: FederatedCheckpoint | undefined
  for (let step = 1; step <= 4; step++) half = ((await generator.next()).value as FederatedRound).checkpoint()
  const rest = await run(buffering, { ...changes, resume: half! })
  assert.deepEqual(rest.parameters, whole.parameters)
  assert.equal(rest.rounds.length, 4)
})

test('speeds are drawn from 1 to 4, and what needs rounds is refused', async () => {
  const drawn = drawDurations(seed, 200)
  assert.ok(Math.min(...drawn) >= 1 && Math.max(...drawn) < 4 && Math.max(...drawn) > 3.5)
  const buffering = { size: 2, mostStaleness: 3 }
  for (const [changes, pattern] of [
    [{ rule: { kind: 'median' } }, /rule has no meaning without rounds/],
    [{ masks: { groupSize: 3 } }, /needs everybody at once/],
    [{ perRound: 2 }, /everybody delivers when it is done/],
    [{ noise: { clip: 1, multiplier: 1 } }, /would hang on its speed/],
    [{ attackers: { of: [0], attack: { kind: 'signFlip' } } }, /answer to the updates of a round/],
  ] as const) {
    await assert.rejects(run(buffering, changes as Partial<FederatedOptions>), pattern)
  }
  await assert.rejects(run({ ...buffering, durations: [1, 0, 1, 1] }), /durations must be above 0/)
})
