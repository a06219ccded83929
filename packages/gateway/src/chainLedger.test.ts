import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  createChain,
  type Deployment,
  deployContracts,
  type EmbeddedChain,
  embeddedAccounts,
  eventIn,
  startEmbeddedChain,
} from '@potluck/chain'
import { addressOfSecret, channelIdOf, encodeApiKey, sha256, toHex, utf8 } from '@potluck/protocol'
import { addressFor, LANGUAGE, models, said, secretOf, startProvider, voucherCaller } from '../test/testNetwork.ts'
import { chainLedger } from './chainLedger.ts'
import { createGateway, type Gateway } from './createGateway.ts'
import { gatewayConfig } from './gatewayConfig.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-gateway-chain-'))
const [deployer, payer, operator] = embeddedAccounts as [Uint8Array, Uint8Array, Uint8Array]
const zero = toHex(new Uint8Array(32))
let embedded: EmbeddedChain
let deployment: Deployment
let gateway: Gateway & { url: string }
let provider: Awaited<ReturnType<typeof startProvider>>
let version = 0

const clientOf = (secret: Uint8Array) => createChain({ rpcUrl: embedded.rpcUrl, deployment, secret })

before(async () => {
  embedded = await startEmbeddedChain({ dir, blockSeconds: 0.1 })
  const saltHolders = [{ address: addressOfSecret(payer), amount: 10n ** 20n }]
  const settings = { pollMs: 20 }
  deployment = await deployContracts({ rpcUrl: embedded.rpcUrl, secret: deployer, saltHolders, settings })
  const builder = clientOf(deployer)
  const terms = {
    ...{ codec: 0x55, purposes: 31, minShare: 0, contributorsShare: 0, trainPrice: 0n, contributorsTotal: 0n },
    ...{ digest: zero, root: zero, licenceDigest: zero, metadataDigest: zero, contributorsRoot: zero },
    ...{ parents: [], shares: [] },
  }
  const tokens = [deployment.contracts.salt]
  const made = await builder.send('assets', 'create', [addressOfSecret(deployer), tokens, terms])
  version = Number(eventIn(made, 'assets', 'VersionAdded').args.version)
  provider = await startProvider('provider', {
    versions: () => [version],
    loadModel: async () => models[LANGUAGE] as NonNullable<(typeof models)[number]>,
  })
  const created = createGateway({
    config: gatewayConfig.parse({
      ...{ operator: addressOfSecret(operator), gateway: addressFor('gateway'), token: deployment.contracts.salt },
      ...{ providerShare: 300_000, gatewayShare: 100_000, chainCacheMs: 0 },
    }),
    nodeSecret: secretOf('gateway node'),
    ledger: chainLedger(clientOf(operator)),
    databaseFile: join(dir, 'gateway.sqlite'),
    listProviders: () => [{ ...provider.entry, versions: [version] }],
    describeModel: async () => ({ name: 'plays', createdSeconds: 1, digest: zero, ownedBy: 'builder' }),
    publishReceipts: async () => undefined,
    nowMs: () => Date.now(),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  })
  gateway = Object.assign(created, { url: await created.listen() })
})

after(async () => {
  await gateway.close()
  await provider.provider.close()
  await embedded.stop()
  rmSync(dir, { recursive: true })
})

test('serves an API key and a voucher from one channel and settles both through the real contracts, to the unit [G-10, G-19]', async () => {
  const chain = clientOf(payer)
  const { channels, salt } = deployment.contracts
  const config = {
    ...{ payer: addressOfSecret(payer), signer: addressFor('session'), operator: addressOfSecret(operator) },
    ...{ token: salt, withdrawDelaySeconds: 3_600, salt: toHex(sha256(utf8('channel'))) },
  }
  await chain.send('salt', 'approve', [channels, 1_000n])
  await chain.send('channels', 'open', [config, 1_000n])
  const delegate = secretOf('delegate')
  await chain.send('channels', 'setDelegate', [config, 1, addressOfSecret(delegate), 500n])

  const body = { model: 'plays', prompt: 'To be', max_tokens: 15 }
  const { ask, sign } = voucherCaller(gateway, { config, secret: secretOf('session') })
  const { potluck } = await said(await ask('/v1/completions', body))
  assert.equal((await ask('/v1/completions', body, sign(potluck))).status, 200)

  const channelId = channelIdOf(deployment.chainId, channels, config)
  const key = encodeApiKey({ channelId, lane: 1, secret: delegate })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const second = await fetch(`${gateway.url}/v1/completions`, { method: 'POST', headers, body: JSON.stringify(body) })
  assert.equal(second.status, 200, await second.text())

  const settled = await gateway.settle()
  assert.deepEqual(settled.refused, [])
  assert.equal(settled.transactions.length, 1)
  assert.equal(
    settled.claimed.reduce((sum, { amount }) => sum + amount, 0n),
    40n,
  )
  const { claimedLane0, claimedOtherLanes } = await chain.read.channels.channelOf([channelId])
  assert.deepEqual([claimedLane0, claimedOtherLanes], [20n, 20n])
  assert.equal(await chain.read.channels.creditOf([salt, addressFor('provider')]), 12n)
  assert.equal(await chain.read.channels.creditOf([salt, addressFor('gateway')]), 4n)
  assert.deepEqual((await gateway.settle()).transactions, [])
})

test('names the item and the reason when the contract refuses a claim [G-19]', async () => {
  const ledger = chainLedger(clientOf(operator))
  const [provider, gatewayAccount] = [addressFor('provider'), addressFor('gateway')]
  const item = {
    ...{ payer: provider, signer: provider, withdrawDelaySeconds: 1, lane: 0, from: 0n, cumulative: 1n },
    ...{ salt: zero, requestHash: zero, r: zero, vs: zero },
  }
  const allocation = { version, provider, providerShare: 0, gateway: gatewayAccount, gatewayShare: 0 }
  const group = { token: deployment.contracts.salt, allocation, items: [item] }
  assert.deepEqual(await ledger.check(addressOfSecret(operator), group), ['UnknownChannel'])
  assert.deepEqual(await ledger.claim([group]), { ok: false, group: 0, item: 0, why: 'UnknownChannel' })
})
