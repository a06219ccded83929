import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { maxUint256 } from 'viem'
import { deployHostileToken, REENTRANT } from '../support/hostileToken.ts'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, makeAsset, plainTerms, type World } from '../support/world.ts'

let world: World
let evil: Awaited<ReturnType<typeof deployHostileToken>>
let evilVersion: bigint

before(async () => {
  world = await deployWorld(await startEvm())
  const { deployer, assets, builder } = world
  evil = await deployHostileToken(world)
  const receipt = await assets.send(builder, 'create', [evil.address, [evil.address], plainTerms])
  evilVersion = assets.events(receipt, 'VersionAdded')[0]?.version as bigint
  await evil.send(deployer, 'mint', [builder.address, 10n ** 12n])
  await evil.send(builder, 'approve', [assets.address, maxUint256])
})

test('refuses a token the asset does not take, an unknown version and nothing at all', async () => {
  const { assets, caller, salt, dollar, builder } = world
  const { version } = await makeAsset(world, builder)
  await refuses(assets.attempt(caller, 'pay', [version, salt.address, 1n]), 'TokenNotAccepted', [version, salt.address])
  await refuses(assets.attempt(caller, 'pay', [999n, dollar.address, 1n]), 'TokenNotAccepted', [999n, dollar.address])
  await refuses(assets.attempt(caller, 'pay', [version, dollar.address, 0n]), 'ZeroAmount')
})

test('refuses a token that keeps a fee on transfer [C-22]', async () => {
  const { assets, builder, deployer } = world
  await evil.send(deployer, 'setFee', [1_000n])
  await refuses(assets.attempt(builder, 'pay', [evilVersion, evil.address, 10_000n]), 'TransferShort', [
    evil.address,
    9_990n,
    10_000n,
  ])
  await evil.send(deployer, 'setFee', [0n])
})

test('refuses every call back in from the middle of a payment or a withdrawal [C-03]', async () => {
  const { assets, builder, deployer, operator } = world
  await evil.send(deployer, 'mint', [evil.address, 10n ** 12n])
  const callbacks = [
    assets.call('pay', [evilVersion, evil.address, 5n]),
    assets.call('withdraw', [evil.address]),
    assets.call('withdrawFor', [evil.address, evil.address]),
    assets.call('settle', [evilVersion, evil.address]),
    assets.call('pull', [evilVersion, evilVersion, evil.address]),
    assets.call('addVersion', [1n, plainTerms]),
  ]
  for (const callback of callbacks) {
    const gross = await assets.read('grossOf', [evilVersion, evil.address])
    await evil.send(deployer, 'arm', [assets.address, callback])
    await assets.send(builder, 'pay', [evilVersion, evil.address, 1_000n])
    assert.equal(await evil.read('calledBack', []), true)
    assert.equal(await evil.read('lastRefusal', []), REENTRANT)
    assert.equal(await assets.read('grossOf', [evilVersion, evil.address]), gross + 1_000n)
  }
  await assets.send(operator, 'settle', [evilVersion, evil.address])
  await evil.send(deployer, 'arm', [assets.address, assets.call('withdrawFor', [evil.address, evil.address])])
  await assets.send(operator, 'withdrawFor', [evil.address, evil.address])
  assert.equal(await evil.read('lastRefusal', []), REENTRANT)
  assert.equal(await evil.read('balanceOf', [assets.address]), 0n)
})

test('adds up what is paid, by anyone [C-20]', async () => {
  const { assets, builder, caller, dollar } = world
  const { version } = await makeAsset(world, builder)
  await assets.send(caller, 'pay', [version, dollar.address, 5n])
  await assets.send(builder, 'pay', [version, dollar.address, 7n])
  assert.equal(await assets.read('grossOf', [version, dollar.address]), 12n)
})
