import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, modelOf, RandomStream, sizeOfLayout, type TrainingData } from '@potluck/engine'
import { utf8 } from '@potluck/protocol'
import type { FederatedCheckpoint, FederatedOptions, FederatedRound } from './FederatedOptions.ts'
import { federate, federateToEnd } from './federate.ts'
import { PersonalPart } from './PersonalPart.ts'

const engine = await createEngine()
const seed = utf8('personal part test')
const config = { kind: 'mlp', inputs: 4, hidden: [6], activation: 'relu', classes: 2 } as const
const personal = ['layer1', 'layer1.bias']

/** The same rows everywhere, but every second site calls the classes by each other's names. */
function site(number: number, rows: number, stream: number): TrainingData {
  const random = new RandomStream(seed, 97, stream)
  const targets = new Int32Array(rows)
  const inputs = Float32Array.from({ length: 4 * rows }, (_, i) => random.normal(i))
  for (let row = 0; row < rows; row++) {
    const isFirst = inputs[4 * row]! + inputs[4 * row + 1]! > 0
    targets[row] = Number(isFirst) ^ (number % 2)
  }
  return { kind: 'rows', inputs, targets }
}

const clients = [0, 1, 2, 3].map((number) => ({
  id: `site ${number}`,
  data: site(number, 80, number),
  validation: site(number, 200, 100 + number),
}))
const options: FederatedOptions = {
  config,
  local: { steps: 10, batch: 16, optimizer: { kind: 'sgd', momentum: 0.5 }, learningRate: 0.1 },
  clients,
  rounds: 8,
  seed,
  personal,
}

test('sites that disagree learn with heads of their own what no common model can say', async () => {
  const last: FederatedRound[] = []
  await federateToEnd(engine, { ...options, onRound: (round) => last.push(round) })
  const { personal: own } = last.at(-1)!
  assert.ok(own!.accuracy! > 0.85, `with own heads ${own!.accuracy}`)
  assert.equal(own!.n, 800)
  const common = await federateToEnd(engine, {
    ...options,
    personal: [],
    validation: { kind: 'rows', inputs: join('inputs'), targets: join('targets') } as TrainingData,
  })
  assert.ok(common.evaluation!.accuracy! < 0.65, `one model for all ${common.evaluation!.accuracy}`)
})

const join = <K extends 'inputs' | 'targets'>(part: K): Float32Array | Int32Array => {
  const all = clients.flatMap(({ validation }) => (validation.kind === 'rows' ? [...validation[part]] : []))
  return part === 'inputs' ? Float32Array.from(all) : Int32Array.from(all)
}

test('personal parameters are never sent: what travels is shorter by them, and their places are 0 [L-84]', async () => {
  const model = modelOf(config)
  const size = sizeOfLayout(model.parameters)
  const heads = model.parameters.filter(({ name }) => personal.includes(name))
  const seen: Float32Array[] = []
  const sizes: number[] = []
  await federateToEnd(engine, {
    ...options,
    rounds: 2,
    onUpdates: ({ updates }) => void seen.push(...updates),
    onRound: ({ bytesUp }) => sizes.push(bytesUp),
  })
  const whole: number[] = []
  await federateToEnd(engine, { ...options, personal: [], rounds: 2, onRound: ({ bytesUp }) => whole.push(bytesUp) })
  assert.equal(whole[0]! - sizes[0]!, 4 * 4 * sizeOfLayout(heads))
  for (const update of seen) {
    assert.equal(update.length, size)
    for (const head of heads) {
      const own = update.subarray(head.offset, head.offset + sizeOfLayout([head]))
      assert.ok(own.every((value) => value === 0))
    }
  }
})

test('a run with personal parameters goes on from a checkpoint to the same bits [L-80]', async () => {
  const rounds = federate(engine, options)
  let half: FederatedCheckpoint | undefined
  for (let round = 1; round <= 4; round++) half = ((await rounds.next()).value as FederatedRound).checkpoint()
  const resumed = await federateToEnd(engine, { ...options, resume: half! })
  const whole = await federateToEnd(engine, options)
  assert.deepEqual(resumed.parameters, whole.parameters)
  assert.deepEqual(resumed.checkpoint.personal, whole.checkpoint.personal)
})

test('cutting and widening are inverse on what is shared, wherever it lies', () => {
  const model = modelOf({ ...config, hidden: [3, 5] })
  const size = sizeOfLayout(model.parameters)
  const part = new PersonalPart(model, ['layer1', 'layer2.bias'])
  const update = Float32Array.from({ length: size }, (_, i) => i + 1)
  const back = part.widen(part.cut(update), size)
  for (const parameter of model.parameters) {
    const from = parameter.offset
    const isOwn = ['layer1', 'layer2.bias'].includes(parameter.name)
    for (let i = from; i < from + sizeOfLayout([parameter]); i++) assert.equal(back[i], isOwn ? 0 : update[i])
  }
  assert.equal(part.cut(update).length, part.shared)
})

test('names that the model does not have, and a model with nothing to share, are refused', () => {
  const model = modelOf(config)
  const names = model.parameters.map(({ name }) => name)
  assert.throws(() => new PersonalPart(model, ['head']), /layer0, layer0.bias, layer1, layer1.bias; got head/)
  assert.throws(() => new PersonalPart(model, names), /leave something to share/)
})
