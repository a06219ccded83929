import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FakeLedger } from '../test/FakeLedger.ts'
import { addressFor, apiKey, startGateway, startProvider } from '../test/testNetwork.ts'

const folder = mkdtempSync(join(tmpdir(), 'potluck-recovery-'))
after(() => rmSync(folder, { recursive: true }))

const call = (url: string, key: string, over: object = {}, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify({ model: 'plays', prompt: 'To be', max_tokens: 12, ...over }),
  })
const textOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { choices: { text: string }[] }).choices[0]?.text ?? ''

const streamedText = (sse: string): string =>
  [...sse.matchAll(/^data: (\{.*\})$/gm)].map(([, data]) => JSON.parse(data ?? '').choices[0].text).join('')

/** A provider that passes on what a good one says until `tokens` tokens, then drops the connection or changes a token. */
async function brokenProvider(goodUrl: string, tokens: number, fault: 'dies' | 'lies') {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const post = request.method === 'POST'
    // It may serve under the good one's name: the order is made out to that.
    const answer = await fetch(goodUrl + request.url, {
      method: request.method ?? 'GET',
      ...(post ? { body, headers: { 'content-type': 'application/json' } } : {}),
    })
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    const text = await answer.text()
    if (!post) return response.end(text)
    const lines = text.trim().split('\n')
    if (fault === 'lies') lines[tokens] = JSON.stringify({ token: '!' })
    response.write(`${lines.slice(0, fault === 'dies' ? tokens : lines.length - 1).join('\n')}\n`, () =>
      response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('goes on with the next provider when one dies in the middle of an answer, and pays each for its own part [G-24]', async () => {
  const good = await startProvider('good')
  const twin = await startProvider('twin')
  const broken = await brokenProvider(twin.entry.url, 5, 'dies')
  const gateway = await startGateway(() => [{ ...twin.entry, url: broken.url }, good.entry], {
    config: { stepTokens: 4 },
  })
  try {
    const { key } = apiKey(gateway.ledger, 'caller', 1_000n, 1_000n)
    const sse = await (await call(gateway.url, key, { seed: 1, stream: true })).text()
    const streamed = streamedText(sse)
    await gateway.publish()
    assert.deepEqual(
      gateway.receipts.map(({ provider, completionTokens, from, to }) => [provider, completionTokens, to - from]),
      [
        [addressFor('twin'), 5, 10n],
        [addressFor('good'), 7, 7n],
      ],
    )
    const { key: second } = apiKey(gateway.ledger, 'second', 1_000n, 1_000n)
    const alone = await startGateway(() => [good.entry], { ledger: gateway.ledger })
    const whole = await textOf(await call(alone.url, second, { seed: 1 }))
    await alone.close()
    assert.equal(streamed, whole)
    assert.equal(streamed.length, 12)
  } finally {
    await gateway.close()
    broken.server.close()
    await Promise.all([good.provider.close(), twin.provider.close()])
  }
})

test('answers 502 when every provider fails and 503 when there is none, and charges nothing', async () => {
  const gateway = await startGateway(() => [])
  const { key, channelId } = apiKey(gateway.ledger, 'caller', 1_000n, 1_000n)
  assert.equal((await call(gateway.url, key)).status, 404)
  await gateway.close()

  const twin = await startProvider('twin')
  const broken = await brokenProvider(twin.entry.url, 2, 'dies')
  const failing = await startGateway(() => [{ ...twin.entry, url: broken.url }], { ledger: gateway.ledger })
  try {
    const answer = await call(failing.url, key)
    assert.equal(answer.status, 502)
    const lanes = (await failing.app.inject(`/potluck/channels/${channelId}`)).json().lanes
    assert.equal(lanes[0].spent, '0')
  } finally {
    await failing.close()
    broken.server.close()
    await twin.provider.close()
  }
})

test('stops when the next provider shows that the first one gave wrong tokens [G-24]', async () => {
  const good = await startProvider('good')
  const twin = await startProvider('twin')
  const liar = await brokenProvider(twin.entry.url, 2, 'lies')
  const gateway = await startGateway(() => [{ ...twin.entry, url: liar.url }, good.entry])
  try {
    const { key } = apiKey(gateway.ledger, 'caller', 1_000n, 1_000n)
    const answer = await call(gateway.url, key)
    assert.equal(answer.status, 502)
    assert.match(await answer.text(), /provider_diverged/)
  } finally {
    await gateway.close()
    liar.server.close()
    await Promise.all([good.provider.close(), twin.provider.close()])
  }
})

async function startProcess(databaseFile: string, entry: object) {
  const script = join(import.meta.dirname, '../test/gatewayProcess.ts')
  const child = spawn(process.execPath, [script, databaseFile, JSON.stringify(entry)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise((resolve) => child.on('close', resolve))
  const url = await new Promise<string>((resolve) => child.stdout.once('data', (text) => resolve(String(text).trim())))
  const kill = () => {
    child.kill('SIGKILL')
    return exited
  }
  return { url, kill }
}

test('delivers after SIGKILL in the middle of a stream what was paid, goes on, and charges nothing twice [G-14, G-18]', async () => {
  const { provider, entry } = await startProvider('provider')
  const databaseFile = join(folder, 'killed.sqlite')
  const { key, channelId } = apiKey(new FakeLedger(addressFor('operator')), 'caller', 10_000n, 10_000n)
  const asked = { seed: 9, max_tokens: 200, stream: true }
  const first = await startProcess(databaseFile, entry)
  const reader = (await call(first.url, key, asked)).body?.getReader()
  await reader?.read()
  await first.kill()

  const second = await startProcess(databaseFile, entry)
  try {
    const spent = async (): Promise<number> => {
      const answer = await fetch(`${second.url}/potluck/channels/${channelId}`)
      return Number(((await answer.json()) as { lanes: { spent: string }[] }).lanes[0]?.spent)
    }
    const paidBefore = await spent()
    assert.ok(paidBefore >= 5 + 4 && paidBefore < 5 + 200, `paid ${paidBefore} before the crash`)
    const text = streamedText(await (await call(second.url, key, asked)).text())
    assert.equal(await spent(), 5 + 200)
    const received = (await (await fetch(`${second.url}/potluck/receipts`)).json()) as {
      receipts: { receipt: { from: string; to: string } }[]
    }
    assert.equal(
      received.receipts.reduce((sum, { receipt }) => sum + Number(receipt.to) - Number(receipt.from), 0),
      5 + 200,
    )
    assert.equal(text, await textOf(await call(second.url, key, { ...asked, stream: false })))
  } finally {
    await second.kill()
    await provider.close()
  }
})

test('gives the same answer again for an idempotency key and charges once [G-18]', async () => {
  const { provider, entry } = await startProvider('provider')
  const gateway = await startGateway(() => [entry])
  try {
    const { key, channelId } = apiKey(gateway.ledger, 'caller', 1_000n, 1_000n)
    const spent = async () => (await gateway.app.inject(`/potluck/channels/${channelId}`)).json().lanes[0].spent
    const first = await (await call(gateway.url, key, {}, { 'idempotency-key': 'order 1' })).json()
    const again = await (await call(gateway.url, key, {}, { 'idempotency-key': 'order 1' })).json()
    assert.deepEqual((again as { id: string }).id, (first as { id: string }).id)
    assert.equal(await spent(), '17')
    await call(gateway.url, key, {}, { 'idempotency-key': 'order 2' })
    assert.equal(await spent(), '34')
  } finally {
    await gateway.close()
    await provider.close()
  }
})
