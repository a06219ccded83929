import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  createChain,
  type Deployment,
  deployContracts,
  type EmbeddedChain,
  embeddedAccounts,
  startEmbeddedChain,
} from '@potluck/chain'
import { addressOfSecret, compactSignature, decodeApiKey, type Hex, toHex } from '@potluck/protocol'
import { createClient } from './createClient.ts'
import { createWallet } from './createWallet.ts'
import { TestGateway } from './testGateway.ts'

const dir = mkdtempSync(join(tmpdir(), 'potluck-wallet-'))
const [payerSecret, operatorSecret] = embeddedAccounts as [Uint8Array, Uint8Array]
const payer = addressOfSecret(payerSecret)
const operator = addressOfSecret(operatorSecret)
const salt: Hex = `0x${'01'.repeat(32)}`

let embedded: EmbeddedChain
let deployment: Deployment
let token: Hex

const walletOf = () => createWallet({ secret: payerSecret, rpcUrl: embedded.rpcUrl, deployment })

before(async () => {
  embedded = await startEmbeddedChain({ dir, blockSeconds: 0.1 })
  const saltHolders = [{ address: payer, amount: 7n }]
  const settings = { pollMs: 20 }
  const { rpcUrl } = embedded
  deployment = await deployContracts({ rpcUrl, secret: payerSecret, saltHolders, embeddedDollar: true, settings })
  token = deployment.tokens[0]?.address as Hex
  await walletOf().chain.erc20(token).send('mint', [payer, 1_000n])
})

after(async () => {
  await embedded.stop()
  rmSync(dir, { recursive: true })
})

test('opens a channel once however often it is asked, and shows balances and what is left', async () => {
  const wallet = walletOf()
  const order = { operator, token, amount: 100n, salt }
  const channel = await wallet.openChannel(order)
  assert.deepEqual(await walletOf().openChannel(order), channel)
  await wallet.topUp(channel, 50n)
  const { deposited, left } = await wallet.channelState(channel)
  assert.deepEqual([deposited, left], [150n, 150n])
  const { coin, tokens } = await wallet.balances()
  assert.ok(coin > 0n)
  assert.deepEqual(
    tokens.map(({ symbol, balance }) => [symbol, balance]),
    [
      ['SALT', 7n],
      ['EUSD', 850n],
    ],
  )
  assert.equal(await wallet.chain.erc20(token).read.allowance([payer, deployment.contracts.channels]), 0n)
  await assert.rejects(wallet.openChannel({ operator, token, amount: 851n }), { code: 'FUNDS_TOO_LOW' })
})

test('makes API keys on lanes of their own, each with its cap', async () => {
  const wallet = walletOf()
  const channel = await wallet.openChannel({ operator, token, amount: 100n, salt })
  const first = decodeApiKey(await wallet.createApiKey({ channel, cap: 40n }))
  const second = decodeApiKey(await wallet.createApiKey({ channel, cap: 60n }))
  assert.deepEqual([first.lane, second.lane], [1, 2])
  assert.equal(first.channelId, channel.id)
  const lane = await wallet.chain.read.channels.laneOf([channel.id, 2])
  assert.deepEqual([lane.key, lane.cap], [addressOfSecret(second.secret), 60n])
})

test('signs vouchers that the contract pays out, and takes back the rest', async () => {
  const wallet = walletOf()
  const channel = await wallet.openChannel({ operator, token, amount: 100n, withdrawDelaySeconds: 0 })
  const gateway = new TestGateway(payerSecret, deployment.contracts.channels)
  const empty = {
    codec: 0x55,
    digest: salt,
    root: salt,
    licenceDigest: salt,
    metadataDigest: salt,
    contributorsRoot: zero,
  }
  const shares = { purposes: 31, minShare: 0, contributorsShare: 0, contributorsTotal: 0n, trainPrice: 0n }
  await wallet.chain.send('assets', 'create', [payer, [token], { ...empty, ...shares, parents: [], shares: [] }])
  gateway.version = Number(await wallet.chain.read.assets.latestVersion())
  const client = createClient({ baseUrl: await gateway.start(), lane: wallet.payFrom(channel), maxPrice: 50n })
  await client.completions({ model: 'm', prompt: 'to be' })
  await client.completions({ model: 'm', prompt: 'or not' })
  await gateway.stop()

  const last = gateway.taken.at(-1)
  assert.ok(last)
  const { signer, withdrawDelaySeconds } = channel.config
  const { from, cumulative, requestHash } = last
  const parties = { payer, signer, withdrawDelaySeconds, salt: channel.config.salt }
  const proof = compactSignature(last.signature)
  const item = { ...parties, lane: 0, from, cumulative, requestHash, ...proof }
  const allocation = { ...gateway.allocation(), version: BigInt(gateway.version) }
  const operatorChain = createChain({ rpcUrl: embedded.rpcUrl, deployment, secret: operatorSecret })
  await operatorChain.send('channels', 'claim', [[{ token, allocation, items: [item] }]])
  assert.equal(await wallet.claimedOf(channel, 0), 19n)
  assert.equal(await wallet.chain.read.channels.creditOf([token, gateway.provider]), 5n)
  assert.equal(await wallet.chain.read.assets.grossOf([BigInt(gateway.version), token]), 13n)

  await wallet.requestWithdraw(channel)
  assert.equal(await wallet.withdraw(channel), 81n)
})

test('asks for a key, a readable one, and the one that signs', async () => {
  const options = { rpcUrl: embedded.rpcUrl, deployment }
  assert.throws(() => createWallet(options), { code: 'NO_KEY' })
  assert.throws(() => createWallet({ ...options, keyFile: join(dir, 'none') }), { code: 'KEY_MISSING' })
  const keyFile = join(dir, 'key')
  writeFileSync(keyFile, `${toHex(payerSecret).slice(0, -2)}\n`)
  assert.throws(
    () => createWallet({ ...options, keyFile }),
    (error: Error) => !error.message.includes(toHex(payerSecret).slice(2, 40)),
  )
  writeFileSync(keyFile, `${toHex(payerSecret)}\n`)
  const wallet = createWallet({ ...options, keyFile })
  assert.equal(wallet.address, payer)
  const channel = await wallet.openChannel({ operator, token, amount: 1n, signer: operator })
  assert.throws(() => wallet.payFrom(channel), { code: 'NOT_SIGNER' })
})

const zero: Hex = `0x${'00'.repeat(32)}`
