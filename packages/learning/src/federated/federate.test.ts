import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createEngine,
  type ModelConfig,
  RandomStream,
  type TrainingData,
  type TrainingRecipe,
  trainToEnd,
} from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import type { FederatedCheckpoint, FederatedOptions, FederatedRound, RoundView } from './FederatedOptions.ts'
import { federate, federateToEnd } from './federate.ts'
import { drawMembers, federatedSeed } from './federatedSeed.ts'

const engine = await createEngine()
const config: ModelConfig = { kind: 'mlp', inputs: 6, hidden: [8], activation: 'relu', classes: 3 }
const local: TrainingRecipe = { steps: 5, batch: 8, optimizer: { kind: 'sgd', momentum: 0.5 }, learningRate: 0.1 }
const seed = utf8('federate test')

/** Three clouds of points in six dimensions: rows that a small network learns in a few rounds. */
function clouds(rows: number, stream: number): TrainingData {
  const random = new RandomStream(seed, 99, stream)
  const inputs = new Float32Array(rows * 6)
  const targets = new Int32Array(rows)
  for (let row = 0; row < rows; row++) {
    const label = row % 3
    targets[row] = label
    for (let i = 0; i < 6; i++) inputs[row * 6 + i] = (i % 3 === label ? 1.2 : 0) + random.normal(row * 6 + i)
  }
  return { kind: 'rows', inputs, targets }
}

const clients = [1, 2, 3, 4].map((stream) => ({ id: `client ${stream}`, data: clouds(60, stream) }))
const validation = clouds(300, 9)
const options: FederatedOptions = { config, local, clients, rounds: 6, seed, validation, evaluateEvery: 3 }

const run = async (
  changes: Partial<FederatedOptions> = {},
): Promise<{ rounds: FederatedRound[]; parameters: Float32Array; accuracy: number; bytesUp: number }> => {
  const rounds: FederatedRound[] = []
  const result = await federateToEnd(engine, { ...options, ...changes, onRound: (round) => rounds.push(round) })
  return { rounds, parameters: result.parameters, accuracy: result.evaluation!.accuracy!, bytesUp: result.bytesUp }
}

test('a federation learns, and says in each round who took part and what it cost', async () => {
  const { rounds, accuracy, bytesUp, parameters } = await run()
  assert.ok(accuracy > 0.7, `accuracy ${accuracy}`)
  assert.deepEqual(
    rounds.map(({ evaluation }) => evaluation !== null),
    [false, false, true, false, false, true],
  )
  assert.equal(
    bytesUp,
    rounds.reduce((sum, round) => sum + round.bytesUp, 0),
  )
  assert.ok(rounds[0]!.bytesUp > 4 * 4 * parameters.length, 'framing and signatures are counted')
  assert.ok(rounds.at(-1)!.loss < rounds[0]!.loss)
})

test('the same options give the same bits, another seed gives others [L-78]', async () => {
  const first = await run()
  assert.deepEqual((await run()).parameters, first.parameters)
  assert.notDeepEqual((await run({ seed: utf8('another') })).parameters, first.parameters)
})

test('one client alone, plain, is local training to the bit [L-78]', async () => {
  const [client] = clients
  const { parameters } = await run({ clients: [client!], rounds: 1 })
  const { parameters: alone } = await trainToEnd(engine, {
    config,
    recipe: local,
    data: client!.data,
    seed: federatedSeed(seed, 1, client!.id),
    parameters: await startOf(),
  })
  parameters.forEach((value, i) => {
    // The update is base − trained in f32; taking it off the base again may round once.
    assert.ok(Math.abs(value - alone[i]!) <= 2e-7 * Math.max(1, Math.abs(value)), `parameter ${i}`)
  })
})

const startOf = async (): Promise<Float32Array> => {
  let base: Float32Array | undefined
  const onUpdates = (view: RoundView): void => {
    base ??= view.base.slice()
  }
  await run({ rounds: 1, onUpdates })
  return base!
}

test('a run that was stopped goes on to the same bits, with every kind of memory [L-80]', async () => {
  const scaffold = { method: { kind: 'scaffold' }, local: { ...local, optimizer: { kind: 'sgd' } } } as const
  for (const changes of [
    { compression: { kind: 'topk', keep: 8, feedback: 8 }, outer: { kind: 'sgd', rate: 0.7, momentum: 0.5 } },
    scaffold,
    { ...scaffold, method: { kind: 'scaffold', isScaled: true }, perRound: 3 },
  ] as const) {
    const whole = await run(changes)
    const rounds = federate(engine, { ...options, ...changes })
    let half: FederatedCheckpoint | undefined
    for (let round = 1; round <= 3; round++) half = ((await rounds.next()).value as FederatedRound).checkpoint()
    // A file may list clients in another order than they first took part in.
    const controls = new Map([...half!.controls].reverse())
    const rest = await run({ ...changes, resume: { ...half!, controls } })
    assert.equal(rest.rounds.length, 3)
    assert.deepEqual(rest.parameters, whole.parameters)
  }
})

test('members of a round are drawn without replacement, each client in time, another set each round [L-79]', () => {
  const seen = new Set<number>()
  const sets = new Set<string>()
  for (let round = 1; round <= 40; round++) {
    const members = drawMembers(seed, round, 10, 4)
    assert.equal(new Set(members).size, 4)
    assert.deepEqual(
      members,
      [...members].sort((a, b) => a - b),
    )
    for (const member of members) seen.add(member)
    sets.add(members.join())
  }
  assert.equal(seen.size, 10)
  assert.ok(sets.size > 20)
  assert.deepEqual(drawMembers(seed, 1, 3, 3), [0, 1, 2])
})

test('FedProx stays nearer to the base than plain steps; SCAFFOLD knows a correction after a round [L-81]', async () => {
  const plain = await run({ rounds: 1 })
  const near = await run({ rounds: 1, method: { kind: 'proximal', mu: 5 } })
  for (const i of clients.keys()) assert.ok(near.rounds[0]!.norms[i]! < plain.rounds[0]!.norms[i]!)
  const sgd = { local: { ...local, optimizer: { kind: 'sgd' } } } as const
  const before = await run(sgd)
  const scaffold = await run({ ...sgd, method: { kind: 'scaffold' } })
  assert.deepEqual(scaffold.rounds[0]!.norms, before.rounds[0]!.norms, 'no correction is known in the first round')
  assert.notDeepEqual(scaffold.parameters, before.parameters)
  assert.equal(scaffold.bytesUp, before.bytesUp, 'its memory is made of what everybody sees')
  assert.ok(scaffold.accuracy > 0.7)
})

test('SCAFFOLD with a whole share is option II of the paper, members and all; corrections of everybody cancel [L-81]', async () => {
  const sgd = { ...local, optimizer: { kind: 'sgd' } } as const
  const length = sgd.steps * sgd.learningRate
  const seen: RoundView[] = []
  const changes = { local: sgd, method: { kind: 'scaffold', share: 1 }, rule: { kind: 'mean' }, perRound: 3 } as const
  const { rounds } = await run({ ...changes, onUpdates: (view) => void seen.push(view) })
  const parameters = seen[0]!.base.length
  let common = new Float64Array(parameters)
  const own = clients.map(() => new Float64Array(parameters))
  for (const { members, updates } of seen) {
    const change = new Float64Array(parameters)
    members.forEach((client, at) => {
      const next = own[client]!.map((c, i) => c - common[i]! + updates[at]![i]! / length)
      for (let i = 0; i < parameters; i++) change[i]! += (next[i]! - own[client]![i]!) / clients.length
      own[client] = next
    })
    common = common.map((c, i) => c + change[i]!)
  }
  const { control, controls } = rounds.at(-1)!.checkpoint()
  for (let i = 0; i < parameters; i++) {
    assert.ok(Math.abs(control![i]! - common[i]!) < 1e-5)
    own.forEach((variate, client) => {
      assert.ok(Math.abs((controls.get(client)?.[i] ?? 0) - variate[i]!) < 1e-5)
    })
    const mean = sumOf([...controls.values()].map((variate) => variate[i]!)) / clients.length
    assert.ok(Math.abs(mean - control![i]!) < 1e-5)
  }
})

test('SCAFFOLD works on updates of which little is sent, under masks, and under a rule that a liar cannot move [L-81]', async () => {
  const sgd = { ...local, optimizer: { kind: 'sgd' } } as const
  const common = { local: sgd, method: { kind: 'scaffold' }, rounds: 12 } as const
  const sparse = await run({ ...common, compression: { kind: 'topk', keep: 8, feedback: 4 } })
  assert.ok(sparse.accuracy > 0.7, `accuracy ${sparse.accuracy}`)
  const masked = await run({ ...common, masks: { groupSize: 4 } })
  assert.ok(masked.accuracy > 0.7, `accuracy ${masked.accuracy} under masks`)
  const guard = { rule: { kind: 'reference' }, reference: clouds(60, 7) } as const
  const attackers = { of: [1], attack: { kind: 'signFlip', scale: 1000 } } as const
  const guarded = await run({ ...common, ...guard, attackers })
  assert.ok(guarded.accuracy > 0.7, `accuracy ${guarded.accuracy} beside a liar`)
})

test('scaled, the model goes further where the clients’ directions are small, as the rule says; not under masks or for liars [L-81]', async () => {
  const descent = { ...local, optimizer: { kind: 'sgd' } } as const
  const common = { local: descent, rule: { kind: 'mean' }, rounds: 8 } as const
  const method = { kind: 'scaffold', isScaled: true } as const
  const views: RoundView[] = []
  const scaled = await run({ ...common, method, onUpdates: (view) => void views.push(view) })
  const { controls } = scaled.rounds.at(-1)!.checkpoint()
  const { base, next, updates } = views.at(-1)!
  const sizes = base.map((_, i) => sumOf([...controls.values()].map((own) => own[i]! * own[i]!)))
  const mean = sumOf([...sizes]) / sizes.length
  base.forEach((before, i) => {
    const aggregate = sumOf(updates.map((update) => update[i]!)) / updates.length
    const moved = aggregate * Math.sqrt((1.1 * mean) / (sizes[i]! + 0.1 * mean))
    assert.ok(Math.abs(before - next[i]! - moved) < 1e-5, `parameter ${i}`)
  })
  assert.ok(scaled.accuracy > 0.7)
  for (const changes of [{ masks: { groupSize: 4 } }, { rule: { kind: 'median' } }] as const) {
    await assert.rejects(federate(engine, { ...options, ...common, ...changes, method }).next(), /method.isScaled/)
  }
})

const sumOf = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

test('a liar among the clients is what its attack makes of it, and the reference rule gives it next to none [L-82]', async () => {
  const attackers = { of: [1], attack: { kind: 'signFlip', scale: 10 } } as const
  const honest = await run()
  const fooled = await run({ rule: { kind: 'mean' }, attackers })
  const guarded = await run({ rule: { kind: 'reference' }, reference: clouds(60, 7), attackers })
  assert.ok(fooled.accuracy < honest.accuracy - 0.2, `${fooled.accuracy} under attack`)
  assert.ok(guarded.accuracy > honest.accuracy - 0.1, `${guarded.accuracy} with a reference`)
  for (const { weights } of guarded.rounds) assert.ok(weights[1]! < 0.02, `weight ${weights[1]}`)
})

test('bad options are refused before anything runs, with the field and the value', async () => {
  const refused = async (changes: Partial<FederatedOptions>, pattern: RegExp): Promise<void> => {
    await assert.rejects(federate(engine, { ...options, ...changes }).next(), pattern)
  }
  await refused({ clients: [] }, /clients must be at least one/)
  await refused({ clients: [clients[0]!, clients[0]!] }, /clients must be of different ids/)
  await refused({ rounds: 0 }, /rounds must be whole and at least 1, got 0/)
  await refused({ perRound: 5 }, /perRound must be 1 to the 4 clients, got 5/)
  await refused({ rule: { kind: 'reference' } }, /there are no reference rows/)
  await refused({ method: { kind: 'scaffold' } }, /sgd without momentum/)
  await refused({ method: { kind: 'proximal', mu: 0 } }, /mu must be above 0/)
  const gradient = { ...local, optimizer: { kind: 'sgd' } } as const
  await refused({ local: gradient, method: { kind: 'scaffold', share: 2 } }, /share must be above 0, at most 1, got 2/)
  await refused({ attackers: { of: [9], attack: { kind: 'signFlip', scale: 1 } } }, /numbers of clients, 0 to 3, got 9/)
  await refused({ rule: { kind: 'median' }, compression: { kind: 'topk', keep: 8, feedback: 8 } }, /./)
})
