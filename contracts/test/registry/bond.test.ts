import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { hexToSignature, keccak256, parseEther } from 'viem'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, makeNodes, type Node, ROLE, UNBONDING_SECONDS, type World } from '../support/world.ts'

let world: World
let node: Node
let locker: World['deployer']
let judge: World['deployer']
const task = keccak256('0x01')
const one = parseEther('1')

before(async () => {
  world = await deployWorld(await startEvm())
  ;[node] = (await makeNodes(world, 2, 1, ROLE.WORKER)) as [Node]
  ;[locker, judge] = (await world.evm.accounts(3, 2)) as [World['deployer'], World['deployer']]
})

/** What C-10 says about one node and two who may be rewarded. */
async function checkConservation() {
  const { registry, salt } = world
  const info = await registry.read('nodeInfo', [node.cold.address])
  const rewards = await registry.read('rewardOf', [judge.address])
  const held = await salt.read('balanceOf', [registry.address])
  assert.equal(held, info.bonded + info.unbonding + rewards)
}

test('refuses to lock without the node having named the locker [C-13]', async () => {
  await refuses(world.registry.attempt(locker, 'lock', [node.cold.address, task, one]), 'LockerNotAllowed', [
    node.cold.address,
    locker.address,
  ])
})

test('refuses to lock or unbond more than is free, and empty amounts', async () => {
  const { registry } = world
  await registry.send(node.cold, 'allowLocker', [locker.address, true])
  const free = parseEther('1000')
  await refuses(registry.attempt(locker, 'lock', [node.cold.address, task, free + 1n]), 'BondTooLow')
  await refuses(registry.attempt(node.cold, 'startUnbond', [free + 1n]), 'BondTooLow', [
    node.cold.address,
    free,
    free + 1n,
  ])
  await refuses(registry.attempt(node.cold, 'startUnbond', [0n]), 'ZeroAmount')
  await refuses(registry.attempt(node.cold, 'bond', [0n]), 'ZeroAmount')
  await refuses(registry.attempt(node.cold, 'withdrawUnbonded', []), 'NothingUnbonding')
  await refuses(registry.attempt(node.cold, 'withdrawReward', []), 'NoReward')
})

test('refuses to slash what the caller has not locked for that very task', async () => {
  const { registry } = world
  await registry.send(locker, 'lock', [node.cold.address, task, 10n * one])
  const beneficiaries = [judge.address]
  const slash = (amount: bigint, on = task) =>
    registry.attempt(locker, 'slash', [node.cold.address, on, amount, beneficiaries])
  await refuses(slash(10n * one + 1n), 'LockTooSmall', [node.cold.address, task, 10n * one, 10n * one + 1n])
  await refuses(slash(1n, keccak256('0x02')), 'LockTooSmall')
  await refuses(registry.attempt(judge, 'slash', [node.cold.address, task, 1n, beneficiaries]), 'LockTooSmall')
  await refuses(slash(0n), 'ZeroAmount')
})

test('a locker that is no longer allowed makes no new lock and keeps the old one [C-13]', async () => {
  const { registry } = world
  await registry.send(node.cold, 'allowLocker', [locker.address, false])
  await refuses(registry.attempt(locker, 'lock', [node.cold.address, task, one]), 'LockerNotAllowed')
  assert.equal(await registry.read('lockedFor', [locker.address, node.cold.address, task]), 10n * one)
  await refuses(registry.attempt(node.cold, 'startUnbond', [parseEther('990') + 1n]), 'BondTooLow')
})

test('slashing burns at least half, splits the rest evenly, and stays in the history of the cold key [C-12] [C-15]', async () => {
  const { registry, salt, evm } = world
  const supply = await salt.read('totalSupply', [])
  const odd = 2n * one + 1n
  await registry.send(locker, 'slash', [node.cold.address, task, odd, [judge.address]])
  // An odd amount: the larger half is burned.
  assert.equal(supply - (await salt.read('totalSupply', [])), one + 1n)
  assert.equal(await registry.read('rewardOf', [judge.address]), one)
  // 3 wei: 1 to share between two, which does not divide: all burned.
  await registry.send(locker, 'slash', [node.cold.address, task, 3n, [judge.address, locker.address]])
  assert.equal(await registry.read('rewardOf', [judge.address]), one)
  await registry.send(locker, 'slash', [node.cold.address, task, 7n, []])
  assert.equal(supply - (await salt.read('totalSupply', [])), one + 11n)
  await checkConservation()

  await registry.send(node.cold, 'setNodeKey', [node.cold.address, '0x'])
  const info = await registry.read('nodeInfo', [node.cold.address])
  assert.equal(info.slashCount, 3)
  assert.equal(info.slashedTotal, odd + 10n)
  await registry.send(judge, 'withdrawReward', [])
  assert.equal(await salt.read('balanceOf', [judge.address]), one)
  await evm.mine(1)
})

test('unlocking frees the whole lock, and a second time nothing', async () => {
  const { registry } = world
  await registry.send(locker, 'unlock', [node.cold.address, task])
  assert.equal(await registry.read('freeBond', [node.cold.address]), await registry.read('bondOf', [node.cold.address]))
  assert.equal(await registry.attempt(locker, 'unlock', [node.cold.address, task]), 0n)
})

test('unbonding waits, and a second request restarts the wait for all of it [C-14]', async () => {
  const { registry, evm, salt } = world
  await registry.send(node.cold, 'startUnbond', [one])
  await evm.advance(UNBONDING_SECONDS - 10n)
  await refuses(registry.attempt(node.cold, 'withdrawUnbonded', []), 'StillUnbonding')
  await registry.send(node.cold, 'startUnbond', [one])
  await evm.advance(UNBONDING_SECONDS - 10n)
  await refuses(registry.attempt(node.cold, 'withdrawUnbonded', []), 'StillUnbonding')
  await evm.advance(10n)
  await checkConservation()
  await registry.send(node.cold, 'withdrawUnbonded', [])
  assert.equal(await salt.read('balanceOf', [node.cold.address]), 2n * one)
  await checkConservation()
})

test('bonds with a permit, also when somebody else has already submitted it', async () => {
  const { registry, salt, evm, operator } = world
  const deadline = (await evm.now()) + 1000n
  const signature = await node.cold.signTypedData({
    domain: { name: 'Potluck Salt', version: '1', chainId: 31337, verifyingContract: salt.address },
    types: {
      Permit: [
        { name: 'owner', type: 'address' },
        { name: 'spender', type: 'address' },
        { name: 'value', type: 'uint256' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
      ],
    },
    primaryType: 'Permit',
    message: { owner: node.cold.address, spender: registry.address, value: one, nonce: 0n, deadline },
  })
  const { r, s, v } = hexToSignature(signature)
  const bonded = await registry.read('bondOf', [node.cold.address])
  await salt.send(operator, 'permit', [node.cold.address, registry.address, one, deadline, Number(v), r, s])
  await registry.send(node.cold, 'bondWithPermit', [one, deadline, Number(v), r, s])
  assert.equal((await registry.read('bondOf', [node.cold.address])) - bonded, one)
})
