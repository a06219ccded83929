import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { addressOfSecret, allocationHash, type Hex, PotluckError, type Quote } from '@potluck/protocol'
import { type ClientOptions, createClient } from './createClient.ts'
import type { PayingLane } from './LanePayer.ts'
import { fileMemory, processMemory } from './laneMemory.ts'
import { CHAIN_ID, CHANNELS, TestGateway } from './testGateway.ts'

const secret = new Uint8Array(32).fill(7)
const me = addressOfSecret(secret)
const parties = { payer: me, signer: me, operator: `0x${'0a'.repeat(20)}`, token: `0x${'0b'.repeat(20)}` } as const
const config = { ...parties, withdrawDelaySeconds: 3_600, salt: `0x${'0c'.repeat(32)}` as Hex }
const lane: PayingLane = { config, lane: 0, secret, chainId: CHAIN_ID, channels: CHANNELS }
const model = 'shakespeare'

let gateway: TestGateway
let baseUrl: string

beforeEach(async () => {
  gateway = new TestGateway(secret)
  baseUrl = await gateway.start()
})
afterEach(() => gateway.stop())

const clientOf = (more: Partial<ClientOptions> = {}) => createClient({ baseUrl, lane, maxPrice: 100n, ...more })

async function said(chunks: AsyncIterable<{ choices: { text: string }[] }>): Promise<string> {
  let text = ''
  for await (const chunk of chunks) text += chunk.choices[0]?.text
  return text
}

test('pays each call what it is quoted, on every route, by one growing voucher', async () => {
  const client = clientOf({ baseUrl: `${baseUrl}/v1` })
  assert.deepEqual(await client.models(), [model])
  const first = await client.completions({ model, prompt: 'To be', max_tokens: undefined as never })
  assert.equal(first.choices[0]?.text, 're: To be')
  assert.equal(first.potluck.paid, '9')
  const second = await client.chat({ model, messages: [{ role: 'user', content: 'or not' }] })
  assert.equal(second.choices[0]?.message.content, 're: or not')
  const inputs = [{ name: 'age', shape: [1], datatype: 'FP64', data: [63] }]
  const third = await client.predict('potluck/12', { inputs })
  assert.deepEqual(third.outputs[0]?.data, [0.5])
  assert.deepEqual(
    gateway.taken.map(({ from, cumulative }) => [from, cumulative]),
    [
      [0n, 9n],
      [0n, 19n],
      [0n, 24n],
    ],
  )
})

test('begins a new run above all that was promised when the money goes another way', async () => {
  const client = clientOf()
  await client.completions({ model, prompt: 'a' })
  gateway.provider = `0x${'03'.repeat(20)}`
  await client.completions({ model, prompt: 'b' })
  gateway.provider = `0x${'01'.repeat(20)}`
  await client.completions({ model, prompt: 'c' })
  assert.deepEqual(
    gateway.taken.map(({ from, cumulative }) => [from, cumulative]),
    [
      [0n, 5n],
      [5n, 10n],
      [10n, 15n],
    ],
  )
})

test('repeats the same voucher after lost answers and is charged once', async () => {
  gateway.lose = 2
  const client = clientOf()
  const answer = await client.completions({ model, prompt: 'To be' })
  assert.equal(answer.choices[0]?.text, 're: To be')
  assert.equal(gateway.taken.length, 1)
  assert.equal(answer.potluck.paid, '9')
  assert.equal(gateway.lane.accepted, 9n)
})

test('pays parallel calls of one lane one after the other, none twice', async () => {
  const client = clientOf()
  const prompts = Array.from({ length: 8 }, (_, i) => 'x'.repeat(i + 1))
  const answers = await Promise.all(prompts.map((prompt) => client.completions({ model, prompt })))
  assert.deepEqual(
    answers.map(({ choices }) => choices[0]?.text),
    prompts.map((prompt) => `re: ${prompt}`),
  )
  const total = answers.reduce((sum, { potluck }) => sum + BigInt(potluck.paid), 0n)
  assert.equal(total, BigInt(prompts.join('').length + 4 * prompts.length))
  assert.equal(gateway.lane.accepted, total)
})

test('pays a stream step by step as it comes', async () => {
  const client = clientOf()
  assert.equal(await said(client.completions({ model, prompt: 'To be, or not', stream: true })), 're: To be, or not')
  assert.deepEqual(
    gateway.taken.map(({ cumulative }) => cumulative),
    [4n, 8n, 12n, 16n, 17n],
  )
  assert.equal(new Set(gateway.taken.map((voucher) => voucher.requestHash)).size, 1)
})

test('stops paying when the reader leaves the stream', async () => {
  const client = clientOf()
  for await (const chunk of client.completions({ model, prompt: 'x'.repeat(50), stream: true })) {
    if (chunk.choices[0]?.text === 'xxxx') break
  }
  assert.equal(gateway.lane.accepted, 8n)
})

test('goes on with a broken stream where it stopped, without telling or paying anything twice', async () => {
  gateway.lose = 2
  const client = clientOf()
  assert.equal(await said(client.completions({ model, prompt: 'To be, or not', stream: true })), 're: To be, or not')
  assert.equal(gateway.lane.accepted, 17n)
})

test('pays calls while a stream of the same lane waits for money', async () => {
  const client = clientOf()
  const stream = client.completions({ model, prompt: 'x'.repeat(20), stream: true })
  const texts: string[] = []
  for await (const chunk of stream) {
    texts.push(chunk.choices[0]?.text ?? '')
    await client.completions({ model, prompt: 'meanwhile' })
  }
  assert.equal(texts.join(''), `re: ${'x'.repeat(20)}`)
  assert.equal(gateway.lane.accepted, 24n + 13n * BigInt(texts.length))
})

const falseQuotes: [string, (quote: Quote) => Quote, string][] = [
  ['more than maxPrice', (quote) => ({ ...quote, due: quote.due + 100n }), 'QUOTE_TOO_HIGH'],
  ['another request', (quote) => ({ ...quote, requestHash: `0x${'ee'.repeat(32)}` }), 'QUOTE_OTHER_REQUEST'],
  ['another channel', (quote) => ({ ...quote, channelId: `0x${'ee'.repeat(32)}` }), 'QUOTE_OTHER_CHANNEL'],
  ['another lane', (quote) => ({ ...quote, lane: 1 }), 'QUOTE_OTHER_CHANNEL'],
  ['another chain', (quote) => ({ ...quote, domain: { ...quote.domain, chainId: 1 } }), 'QUOTE_OTHER_DOMAIN'],
  ['a false hash', (quote) => ({ ...quote, allocationHash: `0x${'ee'.repeat(32)}` }), 'QUOTE_BAD_ALLOCATION'],
  ['another model', (quote) => allocated(quote, { version: 13 }), 'QUOTE_OTHER_MODEL'],
  ['shares beyond the whole', (quote) => allocated(quote, { providerShare: 900_001 }), 'QUOTE_BAD_ALLOCATION'],
  ['a start above what was signed', (quote) => ({ ...quote, from: quote.from + 1n }), 'QUOTE_FROM_JUMPS'],
]

function allocated(quote: Quote, change: Partial<Quote['allocation']>): Quote {
  const allocation = { ...quote.allocation, ...change }
  return { ...quote, allocation, allocationHash: allocationHash(allocation) }
}

for (const [what, tamper, code] of falseQuotes) {
  test(`signs nothing new for a quote with ${what}`, async () => {
    const memory = processMemory()
    const client = clientOf({ memory })
    const { potluck } = await client.completions({ model, prompt: 'first' })
    gateway.tamper = tamper
    await assert.rejects(client.completions({ model, prompt: 'second' }), { code })
    await assert.rejects(said(client.completions({ model, prompt: 'third', stream: true })), { code })
    const id = gateway.taken[0]?.channelId as Hex
    assert.equal(memory.load(id, 0)?.signed, BigInt(potluck.paid))
    gateway.tamper = (quote) => quote
    assert.equal((await client.completions({ model, prompt: 'last' })).potluck.paid, '8')
  })
}

test('counts all steps of a stream against the price ceiling', async () => {
  const stream = clientOf().completions({ model, prompt: 'x'.repeat(50), stream: true }, { maxPrice: 10n })
  await assert.rejects(said(stream), { code: 'QUOTE_TOO_HIGH' })
  assert.equal(gateway.lane.accepted, 8n)
})

test("believes a gateway's account of the lane only as far as it has signed", async () => {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-sdk-'))
  const file = join(dir, 'lanes.json')
  await clientOf({ memory: fileMemory(file) }).completions({ model, prompt: 'To be' })
  await assert.rejects(clientOf().completions({ model, prompt: 'again' }), { code: 'GATEWAY_STATE_UNPROVEN' })
  assert.equal(
    (await clientOf({ claimedOf: async () => 9n }).completions({ model, prompt: 'on chain' })).potluck.paid,
    '12',
  )
  await assert.rejects(clientOf({ memory: fileMemory(file) }).completions({ model, prompt: 'x' }), {
    code: 'GATEWAY_STATE_UNPROVEN',
  })
  const told = clientOf({ memory: fileMemory(file), signedUpTo: 21n })
  assert.equal((await told.completions({ model, prompt: 'told' })).potluck.paid, '8')
  gateway.lane.accepted = 20n
  await assert.rejects(clientOf({ memory: fileMemory(file) }).completions({ model, prompt: 'x' }), {
    code: 'GATEWAY_STATE_BEHIND',
  })
  rmSync(dir, { recursive: true })
})

test('says so when no answer comes, and finds out at the next call what became of the voucher', async () => {
  let isCut = true
  const client = clientOf({
    async fetch(url, init) {
      const response = await fetch(url, init)
      if (isCut && new Headers(init.headers).has('potluck-voucher')) throw new TypeError('cut')
      return response
    },
  })
  await assert.rejects(client.completions({ model, prompt: 'lost' }), { code: 'OUTCOME_UNKNOWN', remedy: 'retry' })
  assert.equal(gateway.taken.length, 1)
  isCut = false
  const answer = await client.completions({ model, prompt: 'found' })
  assert.equal(answer.potluck.paid, '9')
  assert.equal(gateway.lane.accepted, 17n)
})

test('passes on what the gateway refuses, with its code', async () => {
  const wrongKey = clientOf({ lane: { ...lane, secret: new Uint8Array(32).fill(8) } })
  await assert.rejects(wrongKey.completions({ model, prompt: 'a' }), (error: unknown) => {
    assert.ok(error instanceof PotluckError)
    assert.equal(error.code, 'GATEWAY_REFUSED')
    assert.equal(error.facts.code, 'voucher_wrong_signer')
    return true
  })
  await gateway.stop()
  await assert.rejects(clientOf().completions({ model: 'potluck/12', prompt: 'a' }))
})
