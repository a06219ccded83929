import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, type Node, nodeKeyProof, ROLE, type World, ZERO_ADDRESS } from '../support/world.ts'

let world: World
let alice: Node
let bob: Node
let aliceProof: `0x${string}`
const chainId = 31337

before(async () => {
  world = await deployWorld(await startEvm())
  const [a, b, c, d] = await world.evm.accounts(2, 4)
  alice = { cold: a, key: b } as Node
  bob = { cold: c, key: d } as Node
  aliceProof = await nodeKeyProof(world, chainId, alice)
})

test('refuses a node without a role', async () => {
  await refuses(world.registry.attempt(alice.cold, 'register', [alice.key.address, 0, '', aliceProof]), 'NoRoles')
})

test("refuses another's key without its consent, so that nobody can be locked out of its key [C-11]", async () => {
  const args = [alice.key.address, ROLE.WORKER, '', aliceProof] as const
  await refuses(world.registry.attempt(bob.cold, 'register', args), 'KeyProofInvalid', [
    alice.key.address,
    bob.cold.address,
  ])
})

test('refuses the zero key', async () => {
  const args = [ZERO_ADDRESS, ROLE.WORKER, '', '0x'] as const
  await refuses(world.registry.attempt(alice.cold, 'register', args), 'KeyAlreadyUsed', [ZERO_ADDRESS])
})

test('refuses what only a registered node may do', async () => {
  const { registry } = world
  const calls = [
    registry.attempt(bob.cold, 'update', [1, '']),
    registry.attempt(bob.cold, 'bond', [1n]),
    registry.attempt(bob.cold, 'startUnbond', [1n]),
    registry.attempt(bob.cold, 'allowLocker', [alice.cold.address, true]),
    registry.attempt(bob.cold, 'setNodeKey', [bob.key.address, '0x']),
  ]
  for (const call of calls) await refuses(call, 'NotRegistered', [bob.cold.address])
})

test('registers a node that its cold key and its node key both speak for', async () => {
  const { registry } = world
  await registry.send(alice.cold, 'register', [alice.key.address, ROLE.WORKER | ROLE.WITNESS, 'http://a', aliceProof])
  assert.equal(await registry.read('resolve', [alice.cold.address]), alice.cold.address)
  assert.equal(await registry.read('resolve', [alice.key.address]), alice.cold.address)
  const info = await registry.read('nodeInfo', [alice.cold.address])
  assert.equal(info.roles, 5)
  assert.equal(info.endpoint, 'http://a')
  await refuses(registry.attempt(alice.cold, 'register', [alice.key.address, 1, '', aliceProof]), 'AlreadyRegistered', [
    alice.cold.address,
  ])
})

test('a replaced node key is worth nothing at once and is never accepted again, by anyone [C-11]', async () => {
  const { registry, evm } = world
  const [next] = await evm.accounts(3, 1)
  assert.ok(next)
  const proof = await nodeKeyProof(world, chainId, { cold: alice.cold, key: next })
  await registry.send(alice.cold, 'setNodeKey', [next.address, proof])
  assert.equal(await registry.read('nodeOf', [alice.key.address]), ZERO_ADDRESS)
  assert.equal(await registry.read('resolve', [alice.key.address]), ZERO_ADDRESS)
  assert.equal(await registry.read('keyOf', [alice.cold.address]), next.address)
  await refuses(registry.attempt(alice.cold, 'setNodeKey', [alice.key.address, aliceProof]), 'KeyAlreadyUsed')
  const bobProof = await nodeKeyProof(world, chainId, { cold: bob.cold, key: alice.key })
  await refuses(registry.attempt(bob.cold, 'register', [alice.key.address, 1, '', bobProof]), 'KeyAlreadyUsed')
})

test('the cold key may be its own node key, without a proof', async () => {
  const { registry } = world
  await registry.send(bob.cold, 'register', [bob.cold.address, ROLE.OWNER, '', '0x'])
  assert.equal(await registry.read('nodeOf', [bob.cold.address]), bob.cold.address)
  await registry.send(bob.cold, 'update', [ROLE.GATEWAY, 'http://b'])
  assert.equal(await registry.read('rolesOf', [bob.cold.address]), ROLE.GATEWAY)
})
