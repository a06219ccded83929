import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeApiKey, keccak256, PotluckError, toHex, utf8 } from '@potluck/protocol'
import { type Client, createClient, fileMemory, type Tensor } from '@potluck/sdk'
import { z } from 'zod'
import { actingWallet } from './account.ts'
import { formatAmount } from './amounts.ts'
import { askJson } from './askJson.ts'
import { decodeText, readInput } from './asset.ts'
import { type Network, type NetworkOptions, networkAt, tokenOf } from './networkAt.ts'
import { oneRow, parsePredictionRows, tensorsOf } from './predictionRows.ts'
import type { Printed } from './printed.ts'
import { operatorOf, positive } from './wallet.ts'

export type CallOptions = NetworkOptions & {
  prompt?: string
  model?: string
  key?: string
  wallet?: string
  deposit: string
  maxPrice: string
  maxTokens: number
  temperature: number
  seed?: number
  stream: boolean
  input?: Record<string, number>
  rows?: string
  json?: boolean
}

const modelList = z.object({ data: z.array(z.object({ id: z.string() })) })
const described = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(z.object({ name: z.string() })),
})
type Described = z.infer<typeof described>
const prediction = z
  .object({ outputs: z.array(z.object({ name: z.string(), data: z.array(z.number().nullable()) }).passthrough()) })
  .passthrough()

/** One paid call: text after a prompt, or predictions for rows. Paid with an API key or with vouchers of a wallet's own. */
export async function call(options: CallOptions): Promise<Printed> {
  const wantsRows = options.input !== undefined || options.rows !== undefined
  checkCall(options, wantsRows)
  const apiKey = options.key === undefined ? undefined : readApiKey(options.key)
  const given = options.rows === undefined ? undefined : decodeText(options.rows, readInput(options.rows))
  const network = networkAt(options)
  const base = gatewayOf(network)
  const model = await chooseModel(base, options.model, wantsRows)
  if (!wantsRows) return writeText(network, base, model, apiKey, options)
  const names = model.inputs.map(({ name }) => name)
  const columns =
    given === undefined ? oneRow(options.input ?? {}, names) : parsePredictionRows(given, names, options.rows ?? '')
  return predict(network, base, model, apiKey, options, tensorsOf(columns))
}

/** Throws BAD_USAGE for a call that says too little or two things at once. */
export function checkCall(
  options: Pick<CallOptions, 'prompt' | 'key' | 'wallet' | 'input' | 'rows'>,
  wantsRows: boolean,
): void {
  const refuse = (message: string): PotluckError => new PotluckError('BAD_USAGE', message, {})
  if (options.input !== undefined && options.rows !== undefined)
    throw refuse('--input and --rows at once: give one row by its values, or a file of rows')
  if (wantsRows && options.prompt !== undefined)
    throw refuse('a prompt and rows at once: a model writes text or predicts')
  if (!wantsRows && (options.prompt === undefined || options.prompt === ''))
    throw refuse('no prompt: potluck call "ROMEO:" --key FILE, or name values with --input age=63 …')
  if ((options.key === undefined) === (options.wallet === undefined)) {
    const how = options.key === undefined ? 'a call is paid for' : '--key and --wallet at once'
    throw refuse(
      `${how}: name one, an API key's file with --key (\`potluck wallet api-key\` makes one) or your own key file with --wallet`,
    )
  }
}

/** The API key in a file. Throws KEY_MISSING or BAD_API_KEY; neither repeats what the file holds. */
export function readApiKey(file: string): string {
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    const message = `no API key at ${file}: make one with \`potluck wallet api-key\`, or name the right file`
    throw new PotluckError('KEY_MISSING', message, { file }, { cause, remedy: 'fix-setup' })
  }
  decodeApiKey(key)
  return key
}

function gatewayOf(network: Network): string {
  if (network.gatewayUrl !== undefined) return network.gatewayUrl.replace(/\/v1$/, '')
  throw new PotluckError(
    'NO_GATEWAY',
    'which gateway? name its address with --gateway http://host:port',
    {},
    { remedy: 'fix-setup' },
  )
}

/** The model named, or the newest of the kind that is wanted. Throws NO_MODEL, or REFUSED with what the gateway said. */
async function chooseModel(base: string, named: string | undefined, tabular: boolean): Promise<Described> {
  const describe = (id: string) =>
    askJson('the gateway', `${base}/v2/models/${encodeURI(id)}`, described, { timeoutMs: 20_000 })
  if (named !== undefined) return checkKind(await describe(named), tabular)
  const { data } = await askJson('the gateway', `${base}/v1/models`, modelList)
  for (const { id } of data) {
    const found = await describe(id)
    if (isTabular(found) === tabular) return found
  }
  const kind = tabular ? 'predicts from rows' : 'writes text'
  const there = data.map(({ id }) => id).join(', ') || 'none'
  throw new PotluckError(
    'NO_MODEL',
    `no model at ${base} ${kind}: there are ${there}; train one, or try again when its job is published`,
    {},
    { remedy: 'retry' },
  )
}

const isTabular = ({ platform }: Described): boolean => platform === 'potluck_tabular'

function checkKind(model: Described, tabular: boolean): Described {
  if (isTabular(model) === tabular) return model
  const hint = tabular
    ? 'give it a prompt'
    : `give it values: ${model.inputs.map(({ name }) => `--input ${name}=…`).join(' ')}`
  throw new PotluckError(
    'WRONG_MODEL_KIND',
    `${model.name} ${tabular ? 'writes text' : 'predicts from rows'}: ${hint}`,
    { model: model.name },
  )
}

/** A client that signs vouchers of the wallet's channel to this gateway, opened when there is none. What was signed is kept in the network folder. */
async function ownClient(network: Network, base: string, options: CallOptions): Promise<Client> {
  const token = tokenOf(network.deployment)
  const amount = positive(options.deposit, token.decimals)
  const maxPrice = positive(options.maxPrice, token.decimals)
  const wallet = await actingWallet(network, { key: options.wallet })
  const channel = await wallet.openChannel({
    ...{ operator: operatorOf(network), token: token.address, amount },
    salt: toHex(keccak256(utf8('potluck call'))),
  })
  return createClient({
    ...{ baseUrl: base, lane: wallet.payFrom(channel), maxPrice },
    memory: fileMemory(join(network.layout.root, 'lanes', `${wallet.address}.json`)),
    claimedOf: () => wallet.claimedOf(channel, 0),
  })
}

const paidLine = (network: Network, units: string | undefined): string[] => {
  if (units === undefined) return []
  const { symbol, decimals } = tokenOf(network.deployment)
  return ['', `(paid ${formatAmount(BigInt(units), decimals)} ${symbol})`]
}

async function writeText(
  network: Network,
  base: string,
  model: Described,
  apiKey: string | undefined,
  options: CallOptions,
): Promise<Printed> {
  const body = {
    ...{
      model: model.name,
      prompt: options.prompt ?? '',
      max_tokens: options.maxTokens,
      temperature: options.temperature,
    },
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  }
  // With --json one value comes at the end, so there is nothing to show before it.
  const shows = options.stream && !options.json
  const pieces: string[] = []
  const take = (text: string): void => {
    pieces.push(text)
    if (shows) process.stdout.write(text)
  }
  if (apiKey !== undefined) {
    const { default: OpenAI } = await import('openai')
    const client = new OpenAI({ baseURL: `${base}/v1`, apiKey, maxRetries: 4 })
    try {
      if (options.stream)
        for await (const chunk of await client.completions.create({ ...body, stream: true }))
          take(chunk.choices[0]?.text ?? '')
      else take((await client.completions.create(body)).choices[0]?.text ?? '')
    } catch (error) {
      if (!(error instanceof OpenAI.APIError)) throw error
      const message = `the gateway: ${error.message}`
      throw new PotluckError(
        'REFUSED',
        message,
        { status: error.status ?? 0, code: error.code ?? null },
        { cause: error },
      )
    }
    const text = pieces.join('')
    return { value: { model: model.name, text }, lines: shows ? [''] : [text] }
  }
  const client = await ownClient(network, base, options)
  if (options.stream) {
    for await (const chunk of client.completions({ ...body, stream: true })) take(chunk.choices[0]?.text ?? '')
    const text = pieces.join('')
    return { value: { model: model.name, text }, lines: shows ? [''] : [text] }
  }
  const answer = await client.completions(body)
  const text = answer.choices[0]?.text ?? ''
  return {
    value: { model: model.name, text, usage: answer.usage, ...answer.potluck },
    lines: [text, ...paidLine(network, answer.potluck.paid)],
  }
}

async function predict(
  network: Network,
  base: string,
  model: Described,
  apiKey: string | undefined,
  options: CallOptions,
  inputs: Tensor[],
): Promise<Printed> {
  if (apiKey !== undefined) {
    const answer = await askJson('the gateway', `${base}/v2/models/${encodeURI(model.name)}/infer`, prediction, {
      timeoutMs: 60_000,
      init: {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ inputs }),
      },
    })
    return predicted(model, answer.outputs, undefined, network)
  }
  const client = await ownClient(network, base, options)
  const answer = await client.predict(model.name, { inputs })
  return predicted(model, prediction.parse(answer).outputs, answer.potluck.paid, network)
}

function predicted(
  model: Described,
  outputs: readonly { name: string; data: (number | null)[] }[],
  paid: string | undefined,
  network: Network,
): Printed {
  const count = outputs[0]?.data.length ?? 0
  const rows = Array.from({ length: count }, (_, i) =>
    Object.fromEntries(outputs.map(({ name, data }) => [name, data[i] ?? null])),
  )
  const line = (row: Record<string, number | null>): string =>
    Object.entries(row)
      .map(([name, value]) => `${name} ${value === null ? 'none' : value.toFixed(4)}`)
      .join('  ')
  return {
    value: { model: model.name, rows, paid: paid ?? null },
    lines: [...rows.map(line), ...paidLine(network, paid)],
  }
}
