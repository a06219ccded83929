import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sha256, toHex, utf8 } from '@potluck/protocol'
import { addressFor, LANGUAGE, models, secretOf, startProvider, TABULAR } from '../../test/testNetwork.ts'
import { type GenerateOrder, type PredictOrder, signOrder } from './providerMessages.ts'

let started: Awaited<ReturnType<typeof startProvider>>
before(async () => {
  started = await startProvider('provider')
})
after(() => started.provider.close())

const gateway = addressFor('gateway node')
const allocationOf = (version: number, provider = addressFor('provider')) => ({
  ...{ version, provider, providerShare: 0, gateway, gatewayShare: 0 },
})
const generateOrder = (over: Partial<GenerateOrder> = {}): GenerateOrder => ({
  ...{ kind: 'generate', version: LANGUAGE, allocation: allocationOf(LANGUAGE), requestHash: toHex(sha256(utf8('r'))) },
  ...{
    gateway,
    atMs: Date.now(),
    prompt: 'To be',
    maxTokens: 5,
    temperature: 1,
    seed: toHex(sha256(utf8('s'))),
    stop: [],
  },
  ...over,
})
const predictOrder = (over: Partial<PredictOrder> = {}): PredictOrder => ({
  ...{ kind: 'predict', version: TABULAR, allocation: allocationOf(TABULAR), requestHash: toHex(sha256(utf8('r'))) },
  ...{ gateway, atMs: Date.now(), rows: [{ age: 50 }] },
  ...over,
})
const send = (route: string, payload: object, app = started.provider.app) =>
  app.inject({ method: 'POST', url: `/provider/${route}`, payload })
const order = (over: Partial<GenerateOrder> = {}, secret = 'gateway node') =>
  send('generate', signOrder(generateOrder(over), secretOf(secret)))

test('gives the same tokens for the same order, one a line, and says why it ended [G-05]', async () => {
  const [one, two] = [await order(), await order()]
  assert.equal(one.statusCode, 200)
  assert.equal(one.body, two.body)
  const lines = one.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(lines.length, 6)
  assert.deepEqual(lines.at(-1), { done: 'length' })
  assert.notEqual((await order({ seed: toHex(sha256(utf8('t'))) })).body, one.body)
})

test('refuses orders of strangers, old ones, altered ones, and money that goes elsewhere [G-20]', async () => {
  const code = async (answer: ReturnType<typeof order>) =>
    `${(await answer).statusCode} ${(await answer).json().error.code}`
  assert.equal(await code(order({}, 'stranger')), '403 ORDER_REFUSED')
  assert.equal(await code(order({ gateway: addressFor('stranger') }, 'stranger')), '403 ORDER_REFUSED')
  assert.equal(await code(order({ atMs: Date.now() - 61_000 })), '403 ORDER_REFUSED')
  assert.equal(await code(order({ allocation: allocationOf(LANGUAGE, addressFor('other')) })), '403 ORDER_REFUSED')
  assert.equal(await code(order({ allocation: allocationOf(TABULAR) })), '403 ORDER_REFUSED')
  const altered = { ...signOrder(generateOrder(), secretOf('gateway node')), maxTokens: 50 }
  assert.equal(await code(send('generate', altered)), '403 ORDER_REFUSED')
  assert.equal(await code(send('generate', { garbage: true })), '400 BAD_ORDER')
})

test('refuses versions it does not serve, rows its model cannot take, and more than it is set to do at once [G-21]', async () => {
  const unknown = await order({ version: 99, allocation: allocationOf(99) })
  assert.equal(`${unknown.statusCode} ${unknown.json().error.code}`, '404 UNKNOWN_MODEL')
  const wrongKind = await send(
    'predict',
    signOrder(predictOrder({ version: LANGUAGE, allocation: allocationOf(LANGUAGE) }), secretOf('gateway node')),
  )
  assert.equal(wrongKind.json().error.code, 'BAD_ORDER')
  const { provider } = await startProvider('provider', { maxConcurrent: 0 })
  const busy = await send('generate', signOrder(generateOrder(), secretOf('gateway node')), provider.app)
  assert.equal(`${busy.statusCode} ${busy.json().error.code}`, '503 PROVIDER_BUSY')
  await provider.close()
})

test('loads a model once, and again after a load that failed', async () => {
  let loads = 0
  const { provider } = await startProvider('provider', {
    loadModel: async (version) => {
      if (++loads === 1) throw new Error('the store is not there yet')
      return models[version] as NonNullable<(typeof models)[number]>
    },
  })
  const ask = () => send('predict', signOrder(predictOrder(), secretOf('gateway node')), provider.app)
  assert.equal((await ask()).statusCode, 500)
  assert.deepEqual((await ask()).json(), { rows: [[0.5]] })
  assert.equal((await ask()).statusCode, 200)
  assert.equal(loads, 2)
  await provider.close()
})
