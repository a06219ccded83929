import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { keccak256, maxUint256 } from 'viem'
import { deployHostileToken } from '../support/hostileToken.ts'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { plainConfig } from '../support/voucher.ts'
import { deployWorld, type World, ZERO_ADDRESS } from '../support/world.ts'

let world: World
before(async () => {
  world = await deployWorld(await startEvm())
})

test('refuses a channel opened by another, without signer or operator, with nothing in it', async () => {
  const { channels, caller, builder } = world
  const config = plainConfig(world)
  await refuses(channels.attempt(builder, 'open', [config, 1n]), 'NotPayer', [builder.address, caller.address])
  await refuses(channels.attempt(caller, 'open', [{ ...config, signer: ZERO_ADDRESS }, 1n]), 'ConfigInvalid')
  await refuses(channels.attempt(caller, 'open', [{ ...config, operator: ZERO_ADDRESS }, 1n]), 'ConfigInvalid')
  await refuses(channels.attempt(caller, 'open', [config, 0n]), 'ZeroAmount')
})

test('refuses a deposit that a claim could not count', async () => {
  const { channels, caller } = world
  const limit = 2n ** 80n - 1n
  await refuses(channels.attempt(caller, 'open', [plainConfig(world), limit + 1n]), 'DepositTooLarge', [
    limit + 1n,
    limit,
  ])
})

test('refuses a token that keeps a fee on transfer [C-22]', async () => {
  const { channels, caller, deployer } = world
  const evil = await deployHostileToken(world)
  await evil.send(deployer, 'mint', [caller.address, 10_000n])
  await evil.send(caller, 'approve', [channels.address, maxUint256])
  await evil.send(deployer, 'setFee', [10_000n])
  const config = plainConfig(world, { token: evil.address })
  await refuses(channels.attempt(caller, 'open', [config, 1_000n]), 'TransferShort', [evil.address, 990n, 1_000n])
})

test('opens once, takes more from anyone, and its id is the hash of all that matters [C-61]', async () => {
  const { channels, caller, builder, evm } = world
  const config = plainConfig(world)
  await refuses(channels.attempt(builder, 'topUp', [config, 1n]), 'NotOpen')
  await channels.send(caller, 'open', [config, 10n])
  const id = await channels.read('channelIdOf', [config])
  await refuses(channels.attempt(caller, 'open', [config, 10n]), 'AlreadyOpen', [id])
  await channels.send(builder, 'topUp', [config, 5n])
  assert.equal((await channels.read('channelOf', [id])).deposited, 15n)

  const others = [
    { payer: builder.address },
    { signer: builder.address },
    { operator: builder.address },
    { token: builder.address },
    { withdrawDelaySeconds: 1 },
    { salt: keccak256('0x0c') },
  ]
  const ids = await Promise.all(others.map((change) => channels.read('channelIdOf', [{ ...config, ...change }])))
  assert.equal(new Set([...ids, id]).size, others.length + 1)
  assert.equal(evm.client.chain.id, 31337)
})
