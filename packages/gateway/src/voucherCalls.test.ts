import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  channelOf,
  said,
  secretOf,
  startGateway,
  startProvider,
  type TestGateway,
  voucherCaller,
} from '../test/testNetwork.ts'

let gateway: TestGateway
let provider: Awaited<ReturnType<typeof startProvider>>
before(async () => {
  provider = await startProvider('provider')
  gateway = await startGateway(() => [provider.entry], {
    config: {
      prices: { prompt: '1', completion: '1', predict: '50' },
      stepTokens: 8,
      voucherTimeoutMs: 400,
      unpaidPerChannel: 2,
    },
  })
})
after(async () => {
  await gateway.close()
  await provider.provider.close()
})

const path = '/v1/completions'
const caller = (name: string, deposit = 10_000n) => voucherCaller(gateway, channelOf(gateway.ledger, name, deposit))
const body = { model: 'plays', prompt: 'To be', max_tokens: 6 }

async function refused(response: Promise<Response>): Promise<string> {
  const answer = await response
  const { error } = await said(answer)
  return `${answer.status} ${error.code}`
}

test('quotes the exact price, delivers for a voucher, and gives the same answer again for the same voucher [G-15, G-18]', async () => {
  const { ask, sign } = caller('plain')
  const asked = await ask(path, body)
  assert.equal(asked.status, 402)
  const { potluck, error } = await said(asked)
  assert.equal(error.code, 'payment_required')
  assert.equal((potluck as { due: string }).due, '11')
  const voucher = sign(potluck)
  const first = (await (await ask(path, body, voucher)).json()) as { id: string; choices: unknown; usage: object }
  assert.deepEqual(first.usage, { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 })
  const again = (await (await ask(path, body, voucher)).json()) as { id: string; choices: unknown }
  assert.deepEqual([again.id, again.choices], [first.id, first.choices])
  const next = (await said(await ask(path, body))).potluck as { due: string; from: string }
  assert.deepEqual([next.from, next.due], ['0', '22'])
})

test('refuses a voucher that is shrunk, replayed for another request, for another chain, forged or beyond the deposit [G-13]', async () => {
  const { ask, sign } = caller('strict', 30n)
  const { potluck } = await said(await ask(path, body))
  const due = 11n
  assert.equal(await refused(ask(path, body, sign(potluck, { cumulative: due - 1n }))), '402 voucher_too_small')
  assert.equal(await refused(ask(path, body, sign(potluck, { from: 1n }))), '402 voucher_wrong_from')
  assert.equal(await refused(ask(path, body, sign(potluck, { cumulative: 31n }))), '402 voucher_beyond_deposit')
  assert.equal(await refused(ask(path, { ...body, prompt: 'other' }, sign(potluck))), '402 voucher_other_request')
  const { domain } = potluck as { domain: { chainId: number } }
  const otherChain = { ...(potluck as object), domain: { ...domain, chainId: domain.chainId + 1 } }
  assert.equal(await refused(ask(path, body, sign(otherChain))), '402 voucher_wrong_signer')
  const thief = voucherCaller(gateway, { ...channelOf(gateway.ledger, 'strict', 30n), secret: secretOf('thief') })
  assert.equal(await refused(thief.ask(path, body, thief.sign(potluck))), '402 voucher_wrong_signer')
  const { allocation } = potluck as { allocation: object }
  const diverted = { ...(potluck as object), allocation, allocationHash: `0x${'ab'.repeat(32)}` }
  assert.equal(await refused(ask(path, body, sign(diverted))), '402 voucher_other_allocation')
  assert.equal((await ask(path, body, sign(potluck))).status, 200)
  const second = (await said(await ask(path, { ...body, prompt: 'other' }))).potluck
  assert.equal(
    await refused(ask(path, { ...body, prompt: 'other' }, sign(second, { cumulative: 5n }))),
    '409 voucher_stale',
  )
  assert.equal(await refused(ask(path, body, 'not base64!')), '400 bad_voucher_header')
})

test('takes one voucher of two that were signed side by side for the same stretch of a lane [G-14]', async () => {
  const { ask, sign } = caller('parallel')
  const bodies = ['first one', 'second 12'].map((prompt) => ({ ...body, prompt }))
  const quotes = await Promise.all(bodies.map(async (one) => (await said(await ask(path, one))).potluck))
  const answers = await Promise.all(bodies.map((one, i) => ask(path, one, sign(quotes[i]))))
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 402])
  const loser = answers.findIndex((answer) => answer.status === 402)
  const { error, potluck } = await said(answers[loser] as Response)
  assert.equal(error.code, 'voucher_too_small')
  assert.equal((await ask(path, bodies[loser], sign(potluck))).status, 200)
})

test('serves one voucher sent twice at once as one call [G-18]', async () => {
  const { ask, sign } = caller('double click')
  const voucher = sign((await said(await ask(path, body))).potluck)
  const answers = await Promise.all([ask(path, body, voucher), ask(path, body, voucher)])
  const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { id: string }).id))
  assert.ok(ids[0] !== undefined && ids[0] === ids[1])
})

test('refuses channels that are unknown, to another operator, or being closed [G-11]', async () => {
  const { config } = channelOf(gateway.ledger, 'closing', 100n)
  const secret = secretOf('closing signer')
  const elsewhere = voucherCaller(gateway, { config: { ...config, operator: config.payer }, secret })
  assert.equal(await refused(elsewhere.ask(path, body)), '402 channel_unsuitable')
  const unknown = voucherCaller(gateway, { config: { ...config, withdrawDelaySeconds: 9_999 }, secret })
  assert.equal(await refused(unknown.ask(path, body)), '402 channel_unknown')
  const hasty = voucherCaller(gateway, { config: { ...config, withdrawDelaySeconds: 1 }, secret })
  assert.equal(await refused(hasty.ask(path, body)), '402 channel_unsuitable')
  const closing = voucherCaller(gateway, { config, secret })
  for (const channel of gateway.ledger.open.values()) if (channel.config.payer === config.payer) channel.withdrawAt = 5n
  assert.equal(await refused(closing.ask(path, body)), '402 channel_closing')
})

test('keeps few unpaid answers for a channel [G-16]', async () => {
  const { ask } = caller('window shopper')
  for (const prompt of ['a', 'b']) assert.equal((await ask(path, { ...body, prompt })).status, 402)
  assert.equal(await refused(ask(path, { ...body, prompt: 'c' })), '429 too_many_unpaid')
})

type Frame = { event: string; data: string }
async function* frames(response: Response): AsyncGenerator<Frame> {
  let rest = ''
  for await (const chunk of response.body ?? []) {
    rest += Buffer.from(chunk).toString()
    const parts = rest.split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const event = /^event: (.*)$/m.exec(part)?.[1] ?? 'message'
      yield { event, data: /^data: (.*)$/m.exec(part)?.[1] ?? '' }
    }
  }
}
const textOf = (data: string): string =>
  data === '[DONE]' ? '' : ((JSON.parse(data) as { choices: { text: string }[] }).choices[0]?.text ?? '')
const post = (voucher: string) =>
  fetch(`${gateway.url}/potluck/vouchers`, { method: 'POST', headers: { 'potluck-voucher': voucher } })

test('streams step by step: pauses at an unpaid step and goes on when its voucher is posted [G-17]', async () => {
  const { ask, sign } = caller('streamer')
  const streamed = { ...body, max_tokens: 20, seed: 3, stream: true }
  const { potluck } = await said(await ask(path, streamed))
  assert.equal((potluck as { due: string }).due, String(5 + 8))
  let text = ''
  const dues: string[] = []
  for await (const { event, data } of frames(await ask(path, streamed, sign(potluck)))) {
    if (event !== 'potluck.due') {
      text += textOf(data)
      continue
    }
    const quote = JSON.parse(data)
    dues.push(quote.due)
    assert.equal((await post(sign(quote, { cumulative: BigInt(quote.due) - 1n }))).status, 402)
    const good = sign(quote)
    assert.equal((await post(good)).status, 200)
    // The answer may be lost on the way: the same voucher again is no fault.
    assert.equal((await post(good)).status, 200)
  }
  assert.deepEqual(dues, ['21', '25'])
  const { stream: _, ...whole } = streamed
  const quote = (await said(await ask(path, whole))).potluck
  const answer = (await (await ask(path, whole, sign(quote))).json()) as { choices: { text: string }[] }
  assert.equal(text, answer.choices[0]?.text)
})

test('ends an unpaid stream with an error, owes nothing more, and resumes it for the last voucher [G-17, G-18]', async () => {
  const { ask, sign } = caller('pauser')
  const streamed = { ...body, max_tokens: 12, seed: 4, stream: true }
  const voucher = sign((await said(await ask(path, streamed))).potluck)
  let text = ''
  let last = ''
  for await (const { event, data } of frames(await ask(path, streamed, voucher))) {
    last = event === 'error' ? data : last
    if (event === 'message') text += textOf(data)
  }
  assert.match(last, /voucher_timeout/)
  assert.equal(text.length, 8)
  let resumed = ''
  for await (const { event, data } of frames(await ask(path, streamed, voucher))) {
    if (event === 'message') resumed += textOf(data)
    if (event === 'potluck.due') assert.equal((await post(sign(JSON.parse(data)))).status, 200)
  }
  assert.equal(resumed.slice(0, 8), text)
  assert.equal(resumed.length, 12)
})

test('uses what a voucher pays beyond the first step for the next ones [G-12]', async () => {
  const { ask, sign } = caller('generous')
  const streamed = { ...body, max_tokens: 20, seed: 3, stream: true }
  const { potluck } = await said(await ask(path, streamed))
  const events: string[] = []
  for await (const { event } of frames(await ask(path, streamed, sign(potluck, { cumulative: 25n }))))
    events.push(event)
  assert.ok(events.length >= 4)
  assert.ok(
    events.every((event) => event === 'message'),
    events.join(),
  )
})

test('says that no stream waits for a voucher', async () => {
  const { ask, sign } = caller('nobody')
  assert.equal(await refused(post(sign((await said(await ask(path, body))).potluck))), '404 no_open_call')
})

test('predicts rows over the Open Inference Protocol for a voucher [G-08]', async () => {
  const { ask, sign } = caller('clinic')
  const url = '/v2/models/heart/infer'
  const column = (name: string, data: number[]) => ({ name, shape: [2], datatype: 'FP64', data })
  const rows = { inputs: [column('age', [63, 40]), column('sex', [1, 0])] }
  const { potluck } = await said(await ask(url, rows))
  assert.equal((potluck as { due: string }).due, '100')
  const answer = (await (await ask(url, rows, sign(potluck))).json()) as { outputs: unknown[]; model_version: string }
  assert.deepEqual(answer.outputs, [{ name: 'risk', datatype: 'FP64', shape: [2], data: [0.63, 0.4] }])
  assert.equal(answer.model_version, '8')
  const ragged = { inputs: [column('age', [63, 40]), { ...column('sex', [1]), shape: [1] }] }
  assert.equal(await refused(ask(url, ragged)), '400 invalid_inputs')
  const ageless = await ask(url, { inputs: [column('sex', [1, 0])] })
  assert.deepEqual([ageless.status, (await said(ageless)).error.message], [400, 'the input age is missing'])
  const meta = (await (await fetch(`${gateway.url}/v2/models/heart`)).json()) as { inputs: { name: string }[] }
  assert.deepEqual(
    meta.inputs.map((input) => input.name),
    ['age', 'sex'],
  )
  assert.equal((await fetch(`${gateway.url}/v2/health/ready`)).status, 200)
  assert.equal(await refused(ask('/v2/models/plays/infer', rows)), '404 model_not_found')
})
