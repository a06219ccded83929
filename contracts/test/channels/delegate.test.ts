import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Hex } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { type Allocation, type Config, plainConfig, voucher } from '../support/voucher.ts'
import { deployWorld, makeAsset, type World, ZERO_ADDRESS } from '../support/world.ts'

let world: World
let config: Config
let channelId: Hex
let allocation: Allocation
let key: PrivateKeyAccount
let other: PrivateKeyAccount

before(async () => {
  world = await deployWorld(await startEvm())
  const { channels, builder, caller, evm } = world
  ;[key, other] = (await evm.accounts(9, 2)) as [PrivateKeyAccount, PrivateKeyAccount]
  const { version } = await makeAsset(world, builder)
  config = plainConfig(world)
  allocation = { version, provider: ZERO_ADDRESS, providerShare: 0, gateway: ZERO_ADDRESS, gatewayShare: 0 }
  await channels.send(caller, 'open', [config, 100n])
  channelId = await channels.read('channelIdOf', [config])
})

const claim = async (by: PrivateKeyAccount, part: { lane: number; from?: bigint; cumulative: bigint }) =>
  [[{ token: world.dollar.address, allocation, items: [await voucher(world, by, config, allocation, part)] }]] as const

test('refuses a delegate from anyone but the payer, on lane 0, or in a channel that is not open [C-66]', async () => {
  const { channels, caller, operator } = world
  await refuses(channels.attempt(operator, 'setDelegate', [config, 1, key.address, 1n]), 'NotPayer')
  await refuses(channels.attempt(caller, 'setDelegate', [config, 0, key.address, 1n]), 'LaneInvalid', [0])
  await refuses(
    channels.attempt(caller, 'setDelegate', [{ ...config, salt: channelId }, 1, key.address, 1n]),
    'NotOpen',
  )
  await refuses(channels.attempt(operator, 'applyDelegate', [config, 1]), 'NoChange', [channelId, 1])
})

test('refuses a voucher on a lane without a key, beyond the cap, or by the payer itself [C-66]', async () => {
  const { channels, caller, operator } = world
  await refuses(channels.attempt(operator, 'claim', await claim(key, { lane: 1, cumulative: 5n })), 'ItemRefused', [
    0n,
    0n,
    2,
    1n,
    0n,
  ])
  await channels.send(caller, 'setDelegate', [config, 1, key.address, 30n])
  await refuses(channels.attempt(operator, 'claim', await claim(key, { lane: 1, cumulative: 31n })), 'ItemRefused', [
    0n,
    0n,
    7,
    31n,
    30n,
  ])
  const asPayer = await claim(caller, { lane: 1, cumulative: 5n })
  await refuses(channels.attempt(operator, 'claim', asPayer), 'ItemRefused', [
    0n,
    0n,
    3,
    BigInt(caller.address),
    BigInt(key.address),
  ])
})

test('lanes count apart and share one deposit [C-64]', async () => {
  const { channels, caller, operator } = world
  await channels.send(operator, 'claim', await claim(key, { lane: 1, cumulative: 20n }))
  await channels.send(operator, 'claim', await claim(caller, { lane: 0, cumulative: 50n }))
  await channels.send(caller, 'setDelegate', [config, 2, other.address, 90n])
  await refuses(channels.attempt(operator, 'claim', await claim(other, { lane: 2, cumulative: 31n })), 'ItemRefused', [
    0n,
    0n,
    6,
    101n,
    100n,
  ])
  await channels.send(operator, 'claim', await claim(other, { lane: 2, cumulative: 10n }))
  const account = await channels.read('channelOf', [channelId])
  assert.deepEqual([account.claimedLane0, account.claimedOtherLanes], [50n, 30n])
  assert.equal((await channels.read('laneOf', [channelId, 1])).claimed, 20n)
})

test('a higher cap holds at once; a cut, another key or none hold after the delay, never below what is claimed [C-66]', async () => {
  const { channels, caller, operator, evm } = world
  await channels.send(caller, 'setDelegate', [config, 1, key.address, 40n])
  assert.equal((await channels.read('laneOf', [channelId, 1])).cap, 40n)
  await refuses(channels.attempt(caller, 'setDelegate', [config, 1, key.address, 19n]), 'CapBelowClaimed', [19n, 20n])

  await channels.send(caller, 'setDelegate', [config, 1, ZERO_ADDRESS, 20n])
  await refuses(channels.attempt(operator, 'applyDelegate', [config, 1]), 'TooEarly')
  // What was signed before the cut can still be claimed.
  await channels.send(operator, 'claim', await claim(key, { lane: 1, from: 20n, cumulative: 25n }))
  await evm.advance(3600)
  await channels.send(operator, 'applyDelegate', [config, 1])
  const lane = await channels.read('laneOf', [channelId, 1])
  assert.deepEqual([lane.key, lane.cap, lane.claimed, lane.changeAt], [ZERO_ADDRESS, 25n, 25n, 0n])
  await refuses(
    channels.attempt(operator, 'claim', await claim(key, { lane: 1, from: 25n, cumulative: 26n })),
    'ItemRefused',
    [0n, 0n, 2, 1n, 0n],
  )
  // The lane's history survives its key.
  await channels.send(caller, 'setDelegate', [config, 1, other.address, 30n])
  await refuses(channels.attempt(operator, 'claim', await claim(other, { lane: 1, cumulative: 25n })), 'ItemRefused', [
    0n,
    0n,
    5,
    25n,
    25n,
  ])
})
