import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Hex } from 'viem'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { type Config, plainConfig, voucher } from '../support/voucher.ts'
import { deployWorld, type World } from '../support/world.ts'

let world: World
let config: Config
let channelId: Hex

before(async () => {
  world = await deployWorld(await startEvm())
  config = plainConfig(world)
  await world.channels.send(world.caller, 'open', [config, 100n])
  channelId = await world.channels.read('channelIdOf', [config])
})

const claim = async (from: bigint, cumulative: bigint) => {
  const { channels, caller, operator, deployer, dollar } = world
  const allocation = {
    version: 0n,
    provider: deployer.address,
    providerShare: 1_000_000,
    gateway: deployer.address,
    gatewayShare: 0,
  }
  const item = await voucher(world, caller, config, allocation, { from, cumulative })
  return channels.send(operator, 'claim', [[{ token: dollar.address, allocation, items: [item] }]])
}

test('refuses to give the rest back before it was asked for and the delay has passed [C-67]', async () => {
  const { channels, caller, operator, evm } = world
  await refuses(channels.attempt(caller, 'withdrawDeposit', [config]), 'NoWithdrawRequest', [channelId])
  await refuses(channels.attempt(operator, 'requestWithdraw', [config]), 'NotPayer')
  await refuses(channels.attempt(caller, 'cancelWithdraw', [config]), 'NoWithdrawRequest')
  await channels.send(caller, 'requestWithdraw', [config])
  await evm.advance(3590)
  await refuses(channels.attempt(caller, 'withdrawDeposit', [config]), 'TooEarly')
})

test('the operator can claim until the rest is taken, and nothing beyond it after [C-67]', async () => {
  const { channels, caller, operator, dollar, evm } = world
  await claim(0n, 30n)
  await evm.advance(10)
  const held = await dollar.read('balanceOf', [caller.address])
  await channels.send(operator, 'withdrawDeposit', [config])
  assert.equal((await dollar.read('balanceOf', [caller.address])) - held, 70n)
  await assert.rejects(claim(30n, 31n), /ItemRefused/)
  await refuses(channels.attempt(operator, 'withdrawDeposit', [config]), 'NoWithdrawRequest')
})

test('a withdrawal that was called off has to be asked for anew', async () => {
  const { channels, caller, evm } = world
  await channels.send(caller, 'topUp', [config, 50n])
  await channels.send(caller, 'requestWithdraw', [config])
  await channels.send(caller, 'cancelWithdraw', [config])
  await evm.advance(4000)
  await refuses(channels.attempt(caller, 'withdrawDeposit', [config]), 'NoWithdrawRequest')
})

test('closes at once when the operator has signed the present state, and not on an old or foreign word [C-68]', async () => {
  const { channels, caller, operator, dollar, evm } = world
  const validUntil = (await evm.now()) + 1_000n
  const sign = (by: typeof operator, deposited: bigint, claimed: bigint) =>
    by.signTypedData({
      domain: { name: 'Potluck Channels', version: '1', chainId: 31337, verifyingContract: channels.address },
      types: {
        Close: [
          { name: 'channelId', type: 'bytes32' },
          { name: 'deposited', type: 'uint96' },
          { name: 'claimed', type: 'uint96' },
          { name: 'validUntil', type: 'uint64' },
        ],
      },
      primaryType: 'Close',
      message: { channelId, deposited, claimed, validUntil },
    })
  const refusal = [channelId, operator.address, validUntil]
  await refuses(
    channels.attempt(caller, 'closeNow', [config, validUntil, await sign(caller, 80n, 30n)]),
    'CloseRefused',
    refusal,
  )
  await refuses(
    channels.attempt(caller, 'closeNow', [config, validUntil, await sign(operator, 80n, 29n)]),
    'CloseRefused',
    refusal,
  )
  await refuses(channels.attempt(caller, 'closeNow', [config, validUntil, '0x']), 'CloseRefused', refusal)
  const held = await dollar.read('balanceOf', [caller.address])
  const signature = await sign(operator, 80n, 30n)
  await channels.send(caller, 'closeNow', [config, validUntil, signature])
  assert.equal((await dollar.read('balanceOf', [caller.address])) - held, 50n)

  await channels.send(caller, 'topUp', [config, 50n])
  await evm.advance(2_000)
  await refuses(channels.attempt(caller, 'closeNow', [config, validUntil, signature]), 'CloseRefused', refusal)
  await channels.send(operator, 'closeNow', [config, 0n, '0x'])
  assert.equal((await channels.read('channelOf', [channelId])).deposited, 30n)
})
