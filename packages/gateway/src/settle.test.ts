import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FakeLedger } from '../test/FakeLedger.ts'
import {
  addressFor,
  apiKey,
  channelOf,
  said,
  startGateway,
  startProvider,
  type TestGateway,
  voucherCaller,
} from '../test/testNetwork.ts'
import type { ProviderEntry } from './ProviderPool.ts'

let gateway: TestGateway
let one: Awaited<ReturnType<typeof startProvider>>
let two: Awaited<ReturnType<typeof startProvider>>
let serving: ProviderEntry[] = []
before(async () => {
  one = await startProvider('one')
  two = await startProvider('two')
  serving = [one.entry]
  gateway = await startGateway(() => serving)
})
after(async () => {
  await gateway.close()
  await Promise.all([one.provider.close(), two.provider.close()])
})

const ask = (key: string, prompt: string) =>
  fetch(`${gateway.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'plays', prompt, max_tokens: 4 }),
  })
const paidOnChain = (ledger: FakeLedger) => ledger.paid.reduce((sum, { amount }) => sum + amount, 0n)

test('claims every run of a lane in one transaction, each along its own allocation [G-19]', async () => {
  const { key } = apiKey(gateway.ledger, 'mixed', 1_000n, 1_000n)
  for (const entry of [one.entry, one.entry, two.entry, one.entry]) {
    serving = [entry]
    assert.equal((await ask(key, 'abcdef')).status, 200)
  }
  serving = [one.entry]
  const settled = await gateway.settle()
  assert.equal(settled.transactions.length, 1)
  assert.deepEqual(settled.refused, [])
  const amounts = gateway.ledger.paid.map(({ allocation, amount }) => [allocation.provider, amount])
  assert.deepEqual(amounts, [
    [addressFor('one'), 20n],
    [addressFor('two'), 10n],
    [addressFor('one'), 10n],
  ])
  assert.deepEqual((await gateway.settle()).transactions, [])
})

test('claims nothing twice when the answer of a claim was lost [G-19]', async () => {
  const { key, channelId } = apiKey(gateway.ledger, 'lost', 1_000n, 1_000n)
  await ask(key, 'abcdef')
  const before = paidOnChain(gateway.ledger)
  gateway.ledger.loseAnswer = true
  await assert.rejects(gateway.settle(), /lost/)
  const again = await gateway.settle()
  assert.deepEqual([again.transactions, again.refused], [[], []])
  assert.equal(paidOnChain(gateway.ledger) - before, 10n)
  const lane = (await gateway.app.inject(`/potluck/channels/${channelId}`)).json().lanes[0]
  assert.deepEqual([lane.claimed, lane.pending], ['10', '0'])
})

test('leaves out what the contract refuses, says why, and claims the rest [G-19]', async () => {
  const good = apiKey(gateway.ledger, 'good', 1_000n, 1_000n)
  const emptied = apiKey(gateway.ledger, 'emptied', 1_000n, 1_000n)
  await ask(good.key, 'abcdef')
  await ask(emptied.key, 'abcdef')
  const channel = gateway.ledger.open.get(emptied.channelId)
  if (channel) channel.deposited = 5n
  const settled = await gateway.settle()
  assert.deepEqual(
    settled.claimed.map(({ channel: id, amount }) => [id, amount]),
    [[good.channelId, 10n]],
  )
  assert.deepEqual(
    settled.refused.map(({ channel: id, why }) => [id, why]),
    [[emptied.channelId, 'BeyondDeposit']],
  )
  if (channel) channel.deposited = 1_000n
  assert.equal((await gateway.settle()).claimed.length, 1)
})

test('claims what a caller signed itself, to the unit', async () => {
  const { ledger } = gateway
  const channel = channelOf(ledger, 'both lanes', 1_000n)
  const { ask: askOwn, sign } = voucherCaller(gateway, channel)
  const body = { model: 'plays', prompt: 'abcdef', max_tokens: 4 }
  const { potluck } = await said(await askOwn('/v1/completions', body))
  assert.equal((await askOwn('/v1/completions', body, sign(potluck))).status, 200)
  const before = paidOnChain(ledger)
  assert.equal((await gateway.settle()).claimed.length, 1)
  assert.equal(paidOnChain(ledger) - before, 10n)
})

test('goes over several transactions when there are more vouchers than one may carry [G-19]', async () => {
  const ledger = new FakeLedger(addressFor('operator'))
  const small = await startGateway(() => serving, { ledger, config: { settleBatch: 2 } })
  try {
    for (const name of ['a', 'b', 'c']) {
      const { key } = apiKey(ledger, name, 100n, 100n)
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
      const body = JSON.stringify({ model: 'plays', prompt: name, max_tokens: 1 })
      assert.equal((await fetch(`${small.url}/v1/completions`, { method: 'POST', headers, body })).status, 200)
    }
    assert.equal((await small.settle()).transactions.length, 2)
    assert.equal(paidOnChain(ledger), 6n)
  } finally {
    await small.close()
  }
})
