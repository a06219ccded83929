import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { toHex, verifyReceipt } from '@potluck/protocol'
import OpenAI from 'openai'
import { addressFor, apiKey, secretOf, startGateway, startProvider, type TestGateway } from '../test/testNetwork.ts'

const folder = mkdtempSync(join(tmpdir(), 'potluck-gateway-'))
let gateway: TestGateway
let provider: Awaited<ReturnType<typeof startProvider>>
let paid: ReturnType<typeof apiKey>
let client: OpenAI

const clientOf = (key: string) => new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
const codeAndStatus = (status: number, code: string) => (error: unknown) => {
  assert.ok(error instanceof OpenAI.APIError)
  assert.equal(`${error.status} ${error.code}`, `${status} ${code}`)
  assert.ok(error.message.length > 20)
  return true
}

before(async () => {
  provider = await startProvider('provider')
  gateway = await startGateway(() => [provider.entry], {
    databaseFile: join(folder, 'gateway.sqlite'),
    config: { prices: { prompt: '2', completion: '3', predict: '50' }, concurrentPerKey: 1 },
  })
  paid = apiKey(gateway.ledger, 'application', 100_000n, 50_000n)
  client = clientOf(paid.key)
})
after(async () => {
  await gateway.close()
  await provider.provider.close()
  rmSync(folder, { recursive: true })
})

const lane = () => gateway.app.inject(`/potluck/channels/${paid.channelId}`).then((r) => r.json().lanes?.[0])
const spent = async (): Promise<number> => Number((await lane())?.spent ?? 0)

test('lists models by name and by version, and gets one by either [G-04]', async () => {
  const ids = (await client.models.list()).data.map((model) => model.id)
  assert.deepEqual(ids, ['heart', 'plays', 'potluck/8', 'potluck/7'])
  const model = await client.models.retrieve('potluck/7')
  assert.deepEqual(model, { id: 'potluck/7', object: 'model', created: 1_700_000_000, owned_by: addressFor('builder') })
})

test('completes a prompt, counts characters as tokens and charges exactly those [G-03, G-05]', async () => {
  const before = await spent()
  const answer = await client.completions.create({ model: 'plays', prompt: 'To be', max_tokens: 5, seed: 1 })
  assert.equal(answer.object, 'text_completion')
  assert.deepEqual(answer.usage, { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 })
  assert.equal(answer.choices[0]?.text.length, 5)
  assert.equal(answer.choices[0]?.finish_reason, 'length')
  assert.equal((await spent()) - before, 5 * 2 + 5 * 3)
  const again = await client.completions.create({ model: 'plays', prompt: 'To be', max_tokens: 5, seed: 1 })
  assert.equal(again.choices[0]?.text, answer.choices[0]?.text)
})

test('answers a chat with the required fields of the official description [G-07]', async () => {
  const answer = await client.chat.completions.create({
    ...{ model: 'potluck/7', max_tokens: 4, stop: 'ZZ', user: 'someone' },
    messages: [{ role: 'user', content: 'Who is there' }],
  })
  assert.equal(answer.object, 'chat.completion')
  const [choice] = answer.choices
  assert.deepEqual(Object.keys(choice ?? {}).sort(), ['finish_reason', 'index', 'logprobs', 'message'])
  assert.deepEqual(Object.keys(choice?.message ?? {}).sort(), ['content', 'refusal', 'role'])
  assert.equal(answer.usage?.prompt_tokens, 'user:\nWho is there\n\nassistant:\n'.length)
})

test('streams the same text as it answers at once, in steps, with usage at the end [G-06]', async () => {
  const body = { model: 'plays', max_tokens: 40, seed: 5, messages: [{ role: 'user' as const, content: 'Hi' }] }
  const whole = await client.chat.completions.create({ ...body, stop: 'ZZ' })
  const before = await spent()
  const stream = await client.chat.completions.create({
    ...{ ...body, stop: 'ZZ', stream: true, stream_options: { include_usage: true } },
  })
  let text = ''
  const chunks: OpenAI.ChatCompletionChunk[] = []
  for await (const chunk of stream) {
    chunks.push(chunk)
    text += chunk.choices[0]?.delta.content ?? ''
  }
  assert.equal(text, whole.choices[0]?.message.content)
  assert.equal(chunks[0]?.choices[0]?.delta.role, 'assistant')
  assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'length')
  assert.deepEqual(chunks.at(-1)?.choices, [])
  assert.deepEqual(chunks.at(-1)?.usage, whole.usage)
  const { prompt_tokens, completion_tokens } = whole.usage ?? { prompt_tokens: 0, completion_tokens: 0 }
  assert.equal((await spent()) - before, prompt_tokens * 2 + completion_tokens * 3)
})

test('streams a completion', async () => {
  let text = ''
  const asked = { model: 'plays', prompt: 'Now', max_tokens: 20, seed: 2 }
  for await (const chunk of await client.completions.create({ ...asked, stream: true })) {
    text += chunk.choices[0]?.text ?? ''
  }
  assert.equal(text, (await client.completions.create(asked)).choices[0]?.text)
})

test('refuses a key that is mistyped, unknown or not the lane’s [G-10]', async () => {
  const ask = (key: string) => clientOf(key).completions.create({ model: 'plays', prompt: 'a' })
  await assert.rejects(ask('plk_nonsense'), codeAndStatus(401, 'invalid_api_key'))
  const other = apiKey(gateway.ledger, 'replaced', 1_000n, 1_000n)
  gateway.ledger.setDelegate(other.channelId, 1, addressFor('somebody else'), 1_000n)
  await assert.rejects(ask(other.key), codeAndStatus(401, 'invalid_api_key'))
})

test('refuses with 402 what the cap or the deposit cannot pay, and serves again after a raise [G-11, G-23]', async () => {
  const poor = apiKey(gateway.ledger, 'poor', 1_000n, 20n)
  const ask = () => clientOf(poor.key).completions.create({ model: 'plays', prompt: 'abc', max_tokens: 6 })
  await assert.rejects(ask(), codeAndStatus(402, 'insufficient_funds'))
  gateway.ledger.setDelegate(poor.channelId, 1, addressFor('poor delegate'), 24n)
  assert.equal((await ask()).usage?.completion_tokens, 6)
  await assert.rejects(ask(), codeAndStatus(402, 'insufficient_funds'))
})

test('names the parameter at fault in a bad request [G-01]', async () => {
  const ask = (over: object) => client.completions.create({ model: 'plays', prompt: 'a', ...over })
  await assert.rejects(ask({ temperature: 3 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError)
    return error.param === 'temperature' && error.code === 'bad_request'
  })
  await assert.rejects(ask({ n: 2 }), codeAndStatus(400, 'unsupported_parameter'))
  await assert.rejects(ask({ tempreature: 1 }), codeAndStatus(400, 'unsupported_parameter'))
  await assert.rejects(ask({ model: 'no-such' }), codeAndStatus(404, 'model_not_found'))
  await assert.rejects(ask({ max_tokens: 100_000 }), codeAndStatus(400, 'bad_request'))
})

test('refuses a second request of a key at its limit with 429, without charging [G-09]', async () => {
  const before = await spent()
  const ask = (prompt: string) => client.completions.create({ model: 'plays', prompt, max_tokens: 100 })
  const [first, second] = await Promise.allSettled([ask('a'), ask('b')])
  const refused = [first, second].filter((outcome) => outcome.status === 'rejected')
  assert.equal(refused.length, 1)
  codeAndStatus(429, 'rate_limit_exceeded')(refused[0]?.reason)
  assert.equal((await spent()) - before, 2 + 100 * 3)
})

test('stops charging when the caller leaves a stream [G-09]', async () => {
  const leaver = apiKey(gateway.ledger, 'leaver', 100_000n, 100_000n)
  const asked = { model: 'plays', prompt: 'a', max_tokens: 256, stream: true } as const
  const stream = await clientOf(leaver.key).completions.create(asked)
  for await (const chunk of stream) if (chunk.choices[0]?.text !== '') break
  stream.controller.abort()
  const spentNow = async () =>
    Number((await gateway.app.inject(`/potluck/channels/${leaver.channelId}`)).json().lanes[0].spent)
  let seen = -1
  while (seen !== (await spentNow())) {
    seen = await spentNow()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.ok(seen < 2 + 256 * 3, `spent ${seen}`)
})

test('answers 402 with terms to a caller without a key, and OpenAI’s shape for unknown routes and bad JSON [G-02]', async () => {
  const payload = { model: 'plays', prompt: 'a' }
  const none = await gateway.app.inject({ method: 'POST', url: '/v1/completions', payload })
  assert.equal(none.statusCode, 402)
  assert.equal(none.json().potluck.terms.operator, addressFor('operator'))
  assert.equal((await gateway.app.inject('/v1/nothing')).json().error.code, 'not_found')
  const bad = await gateway.app.inject({
    ...{ method: 'POST', url: '/v1/completions', payload: '{' },
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(`${bad.statusCode} ${bad.json().error.code}`, '400 bad_request')
})

test('signs a receipt for each call; together they are what the lane spent [G-22]', async () => {
  await gateway.publish()
  const mine = gateway.receipts.filter((receipt) => receipt.channel === paid.channelId)
  assert.ok(mine.length >= 5)
  for (const receipt of mine) assert.ok(verifyReceipt(receipt, addressFor('gateway node')))
  const [first] = mine
  assert.ok(first && !verifyReceipt({ ...first, to: first.to + 1n }, addressFor('gateway node')))
  const sum = mine.reduce((total, receipt) => total + receipt.to - receipt.from, 0n)
  assert.equal(Number(sum), await spent())
})

test('writes no API key and no delegate secret to disk [G-10]', () => {
  const secret = Buffer.from(paid.secret)
  for (const file of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, file))
    for (const form of [secret, secret.toString('hex'), secret.toString('base64url'), paid.key.slice(4, 90)]) {
      assert.equal(bytes.includes(form), false, `${file} holds the secret`)
    }
  }
  const said = JSON.stringify(gateway.errors.map(String))
  assert.equal(said.includes(paid.key), false)
  assert.equal(said.includes(toHex(secretOf('application delegate')).slice(2)), false)
})

test('counts requests for Prometheus', async () => {
  const text = (await gateway.app.inject('/metrics')).body
  assert.match(text, /potluck_requests_total\{route="\/v1\/completions",status="200"\} \d+/)
})
