import { createReferenceEngine, type Engine, initialParameters, type LanguageConfig } from '@potluck/engine'
import {
  addressOfSecret,
  type CallReceipt,
  type ChannelConfig,
  channelIdOf,
  encodeApiKey,
  encodeChannelHeader,
  encodeVoucherHeader,
  type Hex,
  PotluckError,
  quoteSchema,
  sha256,
  signDigest,
  toHex,
  utf8,
  voucherDigest,
} from '@potluck/protocol'
import { createGateway, type Gateway, type GatewayDeps } from '../src/createGateway.ts'
import { type GatewayConfigInput, gatewayConfig } from '../src/gatewayConfig.ts'
import { createProvider, type LoadedModel, type Provider, type ProviderDeps } from '../src/provider/createProvider.ts'
import { FakeLedger } from './FakeLedger.ts'

export const secretOf = (name: string): Uint8Array => sha256(utf8(`test secret of ${name}`))
export const addressFor = (name: string): Hex => addressOfSecret(secretOf(name))
export const token = addressFor('token')

const language: LanguageConfig = {
  vocabulary: '\n !,.:ABCabcdefghijklmnopqrstuvwxyz',
  context: 16,
  width: 8,
  layers: 1,
  heads: 2,
  hidden: 16,
}
export const LANGUAGE = 7
export const TABULAR = 8

export const models: Record<number, LoadedModel> = {
  [LANGUAGE]: {
    kind: 'language',
    config: language,
    parameters: initialParameters(language, sha256(utf8('parameters'))),
  },
  [TABULAR]: {
    kind: 'tabular',
    model: {
      inputs: ['age', 'sex'],
      outputs: ['risk'],
      predict({ age }) {
        if (age === undefined) throw new PotluckError('BAD_INPUTS', 'the input age is missing')
        return [age / 100]
      },
    },
  },
}

export async function startProvider(name: string, options: Partial<ProviderDeps> = {}) {
  const engine: Engine = options.engine ?? createReferenceEngine()
  const provider: Provider = createProvider({
    engine,
    node: addressFor(name),
    versions: () => [LANGUAGE, TABULAR],
    loadModel: async (version) => models[version] as LoadedModel,
    mayOrder: (gateway) => gateway === addressFor('gateway node'),
    nowMs: () => Date.now(),
    ...options,
  })
  return { provider, entry: { node: addressFor(name), url: await provider.listen(), versions: [LANGUAGE, TABULAR] } }
}

export type TestGateway = Gateway & { url: string; ledger: FakeLedger; receipts: CallReceipt[]; errors: unknown[] }

/** A gateway on loopback with a ledger in memory. Random ids are a counter. */
export async function startGateway(
  listProviders: GatewayDeps['listProviders'],
  options: { config?: Partial<GatewayConfigInput>; ledger?: FakeLedger; databaseFile?: string } = {},
): Promise<TestGateway> {
  const ledger = options.ledger ?? new FakeLedger(addressFor('operator'))
  const receipts: CallReceipt[] = []
  const errors: unknown[] = []
  let ids = Date.now()
  const addresses = { operator: addressFor('operator'), gateway: addressFor('gateway'), token }
  const gateway = createGateway({
    config: gatewayConfig.parse({ ...addresses, chainCacheMs: 0, receiptsEveryMs: 0, ...options.config }),
    nodeSecret: secretOf('gateway node'),
    ledger,
    databaseFile: options.databaseFile ?? ':memory:',
    listProviders,
    describeModel: async (version) => ({
      name: version === LANGUAGE ? 'plays' : 'heart',
      createdSeconds: 1_700_000_000,
      digest: toHex(sha256(utf8(String(version)))),
      ownedBy: addressFor('builder'),
    }),
    publishReceipts: async (batch) => void receipts.push(...batch),
    nowMs: () => Date.now(),
    randomBytes: (length) => sha256(utf8(String(ids++))).subarray(0, length),
    onError: (error) => errors.push(error),
  })
  const url = await gateway.listen()
  return Object.assign(gateway, { url, ledger, receipts, errors })
}

export function channelOf(ledger: FakeLedger, name: string, deposit: bigint) {
  const config: ChannelConfig = {
    payer: addressFor(`${name} payer`),
    signer: addressFor(`${name} signer`),
    operator: addressFor('operator'),
    token,
    withdrawDelaySeconds: 3_600,
    salt: toHex(sha256(utf8(name))),
  }
  return { config, channelId: ledger.openChannel(config, deposit), secret: secretOf(`${name} signer`) }
}

/** An API key for lane 1 of a fresh channel. */
export function apiKey(ledger: FakeLedger, name: string, deposit: bigint, cap: bigint) {
  const { channelId } = channelOf(ledger, name, deposit)
  const secret = secretOf(`${name} delegate`)
  ledger.setDelegate(channelId, 1, addressOfSecret(secret), cap)
  return { key: encodeApiKey({ channelId, lane: 1, secret }), channelId, secret }
}

/** What a caller with its own channel does: asks, signs the quote, asks again. */
export function voucherCaller(gateway: { url: string }, channel: { config: ChannelConfig; secret: Uint8Array }) {
  const channelHeader = encodeChannelHeader(channel.config)
  const sign = (raw: unknown, over: Partial<Record<'cumulative' | 'from', bigint>> = {}): string => {
    const quote = quoteSchema.parse(raw)
    const { requestHash, channelId, lane, allocationHash, domain } = quote
    const voucher = { channelId, lane, from: quote.from, cumulative: quote.due, requestHash, allocationHash, ...over }
    const signature = toHex(signDigest(voucherDigest(domain, voucher), channel.secret))
    return encodeVoucherHeader({ ...voucher, signature })
  }
  const ask = (path: string, body: unknown, voucher?: string): Promise<Response> =>
    fetch(gateway.url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'potluck-channel': channelHeader,
        ...(voucher === undefined ? {} : { 'potluck-voucher': voucher }),
      },
      body: JSON.stringify(body),
    })
  return { sign, ask, channelId: (ledger: FakeLedger) => channelIdOf(ledger.chainId, ledger.channels, channel.config) }
}

export type Said = { error: { code: string; message: string; type: string; param: string | null }; potluck: unknown }
export const said = async (response: Response): Promise<Said> => (await response.json()) as Said
