import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { parseEther } from 'viem'
import { saltAbi, saltBytecode } from '../../packages/chain/src/generated/Salt.ts'
import { refuses } from './support/refuses.ts'
import { startEvm } from './support/startEvm.ts'
import { deploy, deployWorld, type World } from './support/world.ts'

let world: World
before(async () => {
  world = await deployWorld(await startEvm())
})

test('refuses holders without amounts', async () => {
  const { evm, deployer } = world
  await assert.rejects(deploy(evm, deployer, saltAbi, saltBytecode, [[deployer.address], []]))
  await assert.rejects(deploy(evm, deployer, saltAbi, saltBytecode, [[], []]))
})

test('the supply only shrinks after deployment, and votes can be delegated [C-01]', async () => {
  const { salt, deployer } = world
  assert.equal(
    saltAbi.some((item) => 'name' in item && /mint/i.test(item.name)),
    false,
  )
  await salt.send(deployer, 'burn', [parseEther('1')])
  assert.equal(await salt.read('totalSupply', []), parseEther('999999'))
  await salt.send(deployer, 'delegate', [deployer.address])
  assert.equal(await salt.read('getVotes', [deployer.address]), parseEther('999999'))
})

test('the embedded dollar is minted by its deployer only', async () => {
  const { dollar, builder, deployer } = world
  await refuses(dollar.attempt(builder, 'mint', [builder.address, 1n]), 'NotMinter', [builder.address])
  assert.equal(await dollar.read('decimals', []), 6)
  assert.equal(await dollar.read('minter', []), deployer.address)
})
