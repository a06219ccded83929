import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Hex, keccak256, toHex, utf8 } from '@potluck/protocol'
import { createClient, createWallet, type Wallet } from '@potluck/sdk'
import OpenAI from 'openai'
import { z } from 'zod'
import { keyAt } from '../network/keyFile.ts'
import { participant } from '../network/plan.ts'
import type { Demo } from './Demo.ts'
import { dollars } from './Screen.ts'
import { waitFor } from './waitFor.ts'

const DOLLAR = 1_000_000n

export const gatewayUrl = (demo: Demo): string => `http://127.0.0.1:${participant(demo.plan, 'gateway').servicePort}`

const patient = {
  age: 63,
  sex: 1,
  cp: 4,
  trestbps: 145,
  chol: 233,
  fbs: 1,
  restecg: 2,
  thalach: 150,
  exang: 0,
  oldpeak: 2.3,
}

function walletOf(demo: Demo, name: string): Wallet {
  return createWallet({
    secret: keyAt(demo.layout.coldKey(name)),
    rpcUrl: demo.rpcUrl,
    deployment: demo.chain.deployment,
  })
}

/** Opens the caller's channel to the gateway, or finds the one of an earlier run. */
function openChannel(demo: Demo, wallet: Wallet, name: string) {
  const [token] = demo.chain.deployment.tokens
  return wallet.openChannel({
    operator: participant(demo.plan, 'gateway').key,
    token: (token as { address: Hex }).address,
    amount: 10n * DOLLAR,
    salt: toHex(keccak256(utf8(`potluck demo ${name}`))),
  })
}

const modelList = z.object({ data: z.array(z.object({ id: z.string() }).passthrough()) })
const inferAnswer = z.object({ outputs: z.array(z.object({ data: z.array(z.number()) }).passthrough()) })

/**
 * Repeats a call while the gateway is away, always under one idempotency key: what was paid and not delivered is delivered by the
 * repetition, not charged again.
 */
async function patiently<T>(
  what: string,
  signal: AbortSignal,
  call: (headers: Record<string, string>) => Promise<T>,
): Promise<T> {
  const headers = { 'idempotency-key': randomUUID() }
  const { value } = await waitFor(what, async () => ({ value: await call(headers) }), {
    timeoutMs: 45_000,
    everyMs: 500,
    signal,
  })
  return value
}

/** Two callers: an application with nothing but a base URL and a key, and a developer whose own wallet signs each voucher. */
export async function callsStage(demo: Demo, versions: { language: number; heart: number }): Promise<number> {
  const { screen, layout, signal } = demo
  const base = gatewayUrl(demo)
  const [language, heart] = [`potluck/${versions.language}`, `potluck/${versions.heart}`]
  const served = await waitFor(
    'the models at the gateway',
    async () => {
      const { data } = modelList.parse(await (await fetch(`${base}/v1/models`)).json())
      const ids = data.map(({ id }) => id)
      return ids.includes(language) && ids.includes(heart) ? ids : undefined
    },
    { timeoutMs: 60_000, signal },
  )
  screen.fact(`gateway ${base}/v1 serves ${served.join(', ')}`)
  let calls = 0

  const appWallet = walletOf(demo, 'caller-app')
  const appChannel = await openChannel(demo, appWallet, 'caller-app')
  const keyFile = join(layout.node('caller-app'), 'api.key')
  if (!existsSync(keyFile))
    writeFileSync(keyFile, await appWallet.createApiKey({ channel: appChannel, cap: 2n * DOLLAR, lane: 1 }), {
      mode: 0o600,
    })
  const apiKey = readFileSync(keyFile, 'utf8')
  screen.fact(
    `caller-app: a channel of ${dollars(10n * DOLLAR)} in its own name, and an API key that can spend ${dollars(2n * DOLLAR)} of it (in ${keyFile})`,
  )

  const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey })
  const completion = await patiently('a completion', signal, (headers) =>
    openai.completions.create(
      { model: language, prompt: 'ROMEO:\n', max_tokens: 120, temperature: 0.7, seed: 7 },
      { headers },
    ),
  )
  calls++
  screen.fact(
    `openai.completions.create, ${completion.usage?.total_tokens} characters: ${JSON.stringify(completion.choices[0]?.text.slice(0, 90))}`,
  )
  const chunks = await patiently('a streamed chat', signal, async (headers) => {
    const stream = await openai.chat.completions.create(
      {
        model: language,
        messages: [{ role: 'user', content: 'What say you, my lord?' }],
        max_tokens: 80,
        seed: 8,
        stream: true,
        stream_options: { include_usage: true },
      },
      { headers },
    )
    let count = 0
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) count++
    return count
  })
  calls++
  screen.fact(`openai.chat.completions.create, streamed in ${chunks} pieces`)
  const answer = await patiently('a prediction', signal, async (headers) => {
    const response = await fetch(`${base}/v2/models/${encodeURIComponent(heart)}/infer`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: tensorsOf() }),
    })
    return inferAnswer.parse(await response.json())
  })
  calls++
  screen.fact(
    `Open Inference Protocol, heart model: probability ${answer.outputs[0]?.data[0]?.toFixed(3)} (an example, not a medical device)`,
  )

  const sdkWallet = walletOf(demo, 'caller-sdk')
  const sdkChannel = await openChannel(demo, sdkWallet, 'caller-sdk')
  const client = createClient({
    baseUrl: base,
    lane: sdkWallet.payFrom(sdkChannel),
    maxPrice: DOLLAR,
    claimedOf: () => sdkWallet.claimedOf(sdkChannel, 0),
  })
  const own = await patiently('a completion with own vouchers', signal, () =>
    client.completions({ model: language, prompt: 'JULIET:\n', max_tokens: 60, seed: 9 }),
  )
  calls++
  screen.fact(
    `caller-sdk signs its own voucher of ${dollars(BigInt(own.potluck.paid))} for request ${own.potluck.requestHash.slice(0, 18)}…`,
  )
  for (let i = 0; i < 3; i++) {
    await patiently('a prediction with own vouchers', signal, () => client.predict(heart, { inputs: tensorsOf() }))
    calls++
  }
  screen.fact(`caller-sdk: three predictions of the heart model, a voucher each`)
  return calls
}

const tensorsOf = () =>
  Object.entries(patient).map(([name, value]) => ({ name, shape: [1], datatype: 'FP64', data: [value] }))
