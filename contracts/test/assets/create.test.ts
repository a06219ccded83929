import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { keccak256 } from 'viem'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, makeAsset, PURPOSE, plainTerms, type World, ZERO_ADDRESS } from '../support/world.ts'

let world: World
let parent: bigint

before(async () => {
  world = await deployWorld(await startEvm())
  ;({ version: parent } = await makeAsset(world, world.builder, {
    minShare: 50_000,
    purposes: PURPOSE.TRAIN | PURPOSE.DERIVE,
  }))
})

const attempt = (terms: Partial<typeof plainTerms>, tokens?: `0x${string}`[]) =>
  world.assets.attempt(world.caller, 'create', [
    world.caller.address,
    tokens ?? [world.dollar.address],
    { ...plainTerms, purposes: PURPOSE.TRAIN, ...terms },
  ])

test('refuses no token, five tokens, a token twice and a token without code', async () => {
  const { dollar, salt } = world
  await refuses(attempt({}, []), 'TokensCount', [0n])
  await refuses(attempt({}, Array(5).fill(dollar.address)), 'TokensCount', [5n])
  await refuses(attempt({}, [dollar.address, salt.address, dollar.address]), 'TokenInvalid', [dollar.address])
  await refuses(attempt({}, [ZERO_ADDRESS]), 'TokenInvalid', [ZERO_ADDRESS])
})

test('refuses parents out of order, twice, from the future, or without a share each [C-25]', async () => {
  const { version: second } = await makeAsset(world, world.builder)
  await refuses(attempt({ parents: [second, parent], shares: [50_000, 50_000] }), 'ParentOrder', [parent])
  await refuses(attempt({ parents: [parent, parent], shares: [50_000, 50_000] }), 'ParentOrder', [parent])
  await refuses(attempt({ parents: [0n], shares: [50_000] }), 'ParentOrder', [0n])
  await refuses(attempt({ parents: [second + 1n], shares: [50_000] }), 'UnknownVersion', [second + 1n])
  await refuses(attempt({ parents: [parent], shares: [] }), 'ParentsInvalid', [1n, 0n])
  const many = Array.from({ length: 17 }, (_, i) => BigInt(i + 1))
  await refuses(attempt({ parents: many, shares: many.map(() => 1) }), 'ParentsInvalid', [17n, 17n])
})

test('refuses a share below what the parent wants, and shares beyond the whole [C-25]', async () => {
  await refuses(attempt({ parents: [parent], shares: [49_999] }), 'ShareTooSmall', [parent, 49_999, 50_000])
  await refuses(attempt({ parents: [parent], shares: [1_000_001] }), 'SharesTooLarge', [1_000_001n])
  const contributors = { contributorsRoot: keccak256('0x01'), contributorsTotal: 1n, contributorsShare: 500_001 }
  await refuses(attempt({ parents: [parent], shares: [500_000], ...contributors }), 'SharesTooLarge', [1_000_001n])
})

test('refuses a child that grants what its parent does not, with what was asked and what is granted [C-25]', async () => {
  const asked = PURPOSE.TRAIN | PURPOSE.SERVE
  await refuses(attempt({ parents: [parent], shares: [50_000], purposes: asked }), 'LicenceNotGranted', [
    parent,
    asked | PURPOSE.DERIVE,
    PURPOSE.TRAIN | PURPOSE.DERIVE,
  ])
  const { version: sealed } = await makeAsset(world, world.builder, { purposes: PURPOSE.TRAIN })
  await refuses(attempt({ parents: [sealed], shares: [0], purposes: 0 }), 'LicenceNotGranted', [
    sealed,
    PURPOSE.DERIVE,
    PURPOSE.TRAIN,
  ])
})

test('refuses to earn in a token that a parent does not take [C-25]', async () => {
  const { dollar, salt } = world
  const terms = { parents: [parent], shares: [50_000] }
  await refuses(attempt(terms, [dollar.address, salt.address]), 'TokenNotAccepted', [parent, salt.address])
})

test("refuses a contributors' share without contributors", async () => {
  await refuses(attempt({ contributorsShare: 1 }), 'ContributorsInvalid')
  await refuses(attempt({ contributorsShare: 1, contributorsRoot: keccak256('0x01') }), 'ContributorsInvalid')
})

test('refuses a version by anyone but the owner, and a thirty-third', async () => {
  const { assets, builder, caller } = world
  const { assetId } = await makeAsset(world, builder)
  await refuses(assets.attempt(caller, 'addVersion', [assetId, plainTerms]), 'NotAssetOwner', [assetId, caller.address])
  for (let i = 1; i < 32; i++) await assets.send(builder, 'addVersion', [assetId, plainTerms])
  await refuses(assets.attempt(builder, 'addVersion', [assetId, plainTerms]), 'TooManyVersions', [assetId])
  assert.equal((await assets.read('versionsOf', [assetId])).length, 32)
})

test('creates an asset for another owner and keeps the terms as given', async () => {
  const { assets, builder, caller, dollar } = world
  const terms = { ...plainTerms, purposes: PURPOSE.TRAIN as number, parents: [parent], shares: [60_000] }
  const receipt = await assets.send(builder, 'create', [caller.address, [dollar.address], terms])
  const { version, assetId, originator } = assets.events(receipt, 'VersionAdded')[0] as {
    version: bigint
    assetId: bigint
    originator: string
  }
  assert.equal(originator, builder.address)
  assert.equal(await assets.read('ownerOf', [assetId]), caller.address)
  assert.deepEqual(await assets.read('termsOf', [version]), terms)
  assert.equal(await assets.read('ownerShareOf', [version]), 940_000)
  const [receiver, amount] = await assets.read('royaltyInfo', [assetId, 2_000_010n])
  assert.deepEqual([receiver, amount], [caller.address, 100_000n])
})
