import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Hex, keccak256 } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { type Allocation, type Config, plainConfig, voucher } from '../support/voucher.ts'
import { deployWorld, makeAsset, type World, ZERO_ADDRESS } from '../support/world.ts'

const WHY = {
  None: 0,
  UnknownChannel: 1,
  UnknownLane: 2,
  WrongSigner: 3,
  GapBelow: 4,
  NothingNew: 5,
  BeyondDeposit: 6,
  BeyondCap: 7,
}

let world: World
let config: Config
let channelId: Hex
let allocation: Allocation
let stranger: PrivateKeyAccount
type Item = Awaited<ReturnType<typeof voucher>>

before(async () => {
  world = await deployWorld(await startEvm())
  const { channels, builder, caller, deployer, operator, evm } = world
  ;[stranger] = (await evm.accounts(9, 1)) as [PrivateKeyAccount]
  const { version } = await makeAsset(world, builder)
  config = plainConfig(world)
  allocation = {
    version,
    provider: deployer.address,
    providerShare: 700_000,
    gateway: operator.address,
    gatewayShare: 100_000,
  }
  await channels.send(caller, 'open', [config, 1_000n])
  channelId = await channels.read('channelIdOf', [config])
})

const group = (...items: Item[]) => [{ token: world.dollar.address, allocation, items }]
const sign = (part: { lane?: number; from?: bigint; cumulative: bigint; requestHash?: Hex }, by = world.caller) =>
  voucher(world, by, config, allocation, part)

async function refusesItem(item: Item, why: number, seen: bigint, limit: bigint, at = 0n, before: Item[] = []) {
  const { channels, operator } = world
  const claim = channels.attempt(operator, 'claim', [group(...before, item)])
  await refuses(claim, 'ItemRefused', [0n, at, why, seen, limit])
  assert.deepEqual(await channels.read('check', [operator.address, group(item)[0] as never]), [why])
}

test('refuses a voucher brought by another than the operator, on another chain, contract, token or config [C-61]', async () => {
  const { channels, dollar, salt, assets } = world
  const good = await sign({ cumulative: 10n })
  await refuses(channels.attempt(stranger, 'claim', [group(good)]), 'ItemRefused')
  await refuses(
    channels.attempt(world.operator, 'claim', [[{ token: salt.address, allocation, items: [good] }]]),
    'ItemRefused',
  )
  const unknown = { ...good, withdrawDelaySeconds: 1 }
  const id = await channels.read('channelIdOf', [{ ...config, withdrawDelaySeconds: 1 }])
  await refusesItem(unknown, WHY.UnknownChannel, BigInt(id), 0n)
  for (const domain of [{ chainId: 1 }, { verifyingContract: assets.address }]) {
    const foreign = await voucher(world, world.caller, config, allocation, { cumulative: 10n }, domain)
    const refusal = channels.attempt(world.operator, 'claim', [group(foreign)])
    await refuses(refusal, 'ItemRefused')
    assert.deepEqual(await channels.read('check', [world.operator.address, group(foreign)[0] as never]), [
      WHY.WrongSigner,
    ])
  }
  assert.equal(config.token, dollar.address)
})

test('refuses a voucher that anything was changed in after signing [C-62]', async () => {
  const { channels, operator } = world
  const good = await sign({ cumulative: 10n })
  const changed: Item[] = [
    { ...good, cumulative: 11n },
    { ...good, requestHash: keccak256('0x0d') },
    { ...good, r: keccak256('0x01') },
    { ...good, vs: `0x${'00'.repeat(32)}` },
  ]
  for (const item of changed) {
    await refuses(channels.attempt(operator, 'claim', [group(item)]), 'ItemRefused')
    assert.deepEqual(await channels.read('check', [operator.address, group(item)[0] as never]), [WHY.WrongSigner])
  }
  const elsewhere = [{ ...group(good)[0], allocation: { ...allocation, provider: operator.address } }]
  await refuses(channels.attempt(operator, 'claim', [elsewhere as never]), 'ItemRefused')
})

test('refuses a voucher signed by another key [C-62]', async () => {
  await refuses(
    world.channels.attempt(world.operator, 'claim', [group(await sign({ cumulative: 10n }, stranger))]),
    'ItemRefused',
  )
  const item = await sign({ cumulative: 10n }, stranger)
  await refusesItem(item, WHY.WrongSigner, BigInt(stranger.address), BigInt(world.caller.address))
})

test('refuses a voucher beyond the deposit, and names the item in the batch [C-64]', async () => {
  await refusesItem(await sign({ cumulative: 1_001n }), WHY.BeyondDeposit, 1_001n, 1_000n)
  const first = await sign({ cumulative: 1_000n })
  const second = await sign({ from: 1_000n, cumulative: 1_001n })
  const claim = world.channels.attempt(world.operator, 'claim', [group(first, second)])
  await refuses(claim, 'ItemRefused', [0n, 1n, WHY.BeyondDeposit, 1_001n, 1_000n])
})

test('refuses a voucher above one that has not been claimed, so that no use is paid along a later allocation [C-63]', async () => {
  await refusesItem(await sign({ from: 5n, cumulative: 10n }), WHY.GapBelow, 5n, 0n)
})

test('refuses an allocation of more than the whole, or to nobody [C-65]', async () => {
  const { channels, operator, dollar, caller } = world
  const bad = [
    { ...allocation, providerShare: 900_001 },
    { ...allocation, version: 0n },
    { ...allocation, provider: ZERO_ADDRESS },
    { ...allocation, gateway: ZERO_ADDRESS },
  ]
  for (const wrong of bad) {
    const item = await voucher(world, caller, config, wrong, { cumulative: 10n })
    const claim = channels.attempt(operator, 'claim', [[{ token: dollar.address, allocation: wrong, items: [item] }]])
    await refuses(claim, 'AllocationInvalid')
  }
})

test('pays along the allocation, rounds down for the shares, and the version gets the rest [C-65]', async () => {
  const { channels, assets, operator, deployer, dollar } = world
  const receipt = await channels.send(operator, 'claim', [
    group(await sign({ cumulative: 10n }), await sign({ from: 10n, cumulative: 33n })),
  ])
  assert.deepEqual(
    channels.events(receipt, 'Claimed').map(({ amount, cumulative }) => [amount, cumulative]),
    [
      [10n, 10n],
      [23n, 33n],
    ],
  )
  assert.equal(await channels.read('creditOf', [dollar.address, deployer.address]), 23n)
  assert.equal(await channels.read('creditOf', [dollar.address, operator.address]), 3n)
  assert.equal(await assets.read('grossOf', [allocation.version, dollar.address]), 7n)
  const account = await channels.read('channelOf', [channelId])
  assert.deepEqual([account.deposited, account.claimedLane0], [1_000n, 33n])
  assert.equal(await dollar.read('balanceOf', [channels.address]), 1_000n - 33n + 26n)
})

test('refuses a voucher replayed or shrunk, and pays only the new part of one that overlaps [C-63]', async () => {
  const { channels, operator } = world
  await refusesItem(await sign({ from: 10n, cumulative: 33n }), WHY.NothingNew, 33n, 33n)
  await refusesItem(await sign({ cumulative: 32n }), WHY.NothingNew, 32n, 33n)
  const receipt = await channels.send(operator, 'claim', [group(await sign({ from: 20n, cumulative: 40n }))])
  assert.equal(channels.events(receipt, 'Claimed')[0]?.amount, 7n)
})

test('a service without an asset is paid in full, with the rounding to its provider [C-65]', async () => {
  const { channels, operator, deployer, dollar, caller } = world
  const plain = {
    version: 0n,
    provider: deployer.address,
    providerShare: 666_667,
    gateway: operator.address,
    gatewayShare: 333_333,
  }
  const before = await channels.read('creditOf', [dollar.address, deployer.address])
  const item = await voucher(world, caller, config, plain, { from: 40n, cumulative: 50n })
  await channels.send(operator, 'claim', [[{ token: dollar.address, allocation: plain, items: [item] }]])
  assert.equal((await channels.read('creditOf', [dollar.address, deployer.address])) - before, 7n)
})

test('credits are withdrawn by anyone for their owner, once [C-27]', async () => {
  const { channels, operator, deployer, dollar, builder } = world
  const credit = await channels.read('creditOf', [dollar.address, deployer.address])
  await channels.send(builder, 'withdrawCreditFor', [deployer.address, dollar.address])
  assert.equal(await dollar.read('balanceOf', [deployer.address]), credit)
  await refuses(channels.attempt(deployer, 'withdrawCredit', [dollar.address]), 'NothingOwed')
  await channels.send(operator, 'withdrawCredit', [dollar.address])
  assert.equal(await dollar.read('balanceOf', [channels.address]), 950n)
})
