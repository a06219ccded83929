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

/** Two callers: an application with nothing but a base URL and a key, and a developer whose own wallet signs each voucher. */
export async function callsStage(demo: Demo, versions: { language: number; heart: number }): Promise<number> {
  const { screen, layout, signal } = demo
  const base = gatewayUrl(demo)
  const served = await waitFor(
    'the models at the gateway',
    async () => {
      const { data } = z
        .object({ data: z.array(z.object({ id: z.string() }).passthrough()) })
        .parse(await (await fetch(`${base}/v1/models`)).json())
      return data.length >= 2 ? data.map(({ id }) => id) : undefined
    },
    { timeoutMs: 60_000, signal },
  )
  screen.fact(`gateway ${base}/v1 serves ${served.join(', ')}`)
  const [language, heart] = [`potluck/${versions.language}`, `potluck/${versions.heart}`]
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

  const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey, maxRetries: 4 })
  const completion = await openai.completions.create({
    model: language,
    prompt: 'ROMEO:\n',
    max_tokens: 120,
    temperature: 0.7,
    seed: 7,
  })
  calls++
  screen.fact(
    `openai.completions.create, ${completion.usage?.total_tokens} characters: ${JSON.stringify(completion.choices[0]?.text.slice(0, 90))}`,
  )
  const stream = await openai.chat.completions.create({
    model: language,
    messages: [{ role: 'user', content: 'What say you, my lord?' }],
    max_tokens: 80,
    seed: 8,
    stream: true,
    stream_options: { include_usage: true },
  })
  let chunks = 0
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) chunks++
  calls++
  screen.fact(`openai.chat.completions.create, streamed in ${chunks} pieces`)
  const prediction = await fetch(`${base}/v2/models/${heart}/infer`.replace(heart, encodeURIComponent(heart)), {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: tensorsOf() }),
  })
  const answer = z
    .object({ outputs: z.array(z.object({ data: z.array(z.number()) }).passthrough()) })
    .parse(await prediction.json())
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
  const own = await client.completions({ model: language, prompt: 'JULIET:\n', max_tokens: 60, seed: 9 })
  calls++
  screen.fact(
    `caller-sdk signs its own voucher of ${dollars(BigInt(own.potluck.paid))} for request ${own.potluck.requestHash.slice(0, 18)}…`,
  )
  for (let i = 0; i < 3; i++) {
    await client.predict(heart, { inputs: tensorsOf() })
    calls++
  }
  screen.fact(`caller-sdk: three predictions of the heart model, a voucher each`)
  return calls
}

const tensorsOf = () =>
  Object.entries(patient).map(([name, value]) => ({ name, shape: [1], datatype: 'FP64', data: [value] }))
