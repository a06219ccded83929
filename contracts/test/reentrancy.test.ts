import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Hex, keccak256, maxUint256 } from 'viem'
import { deployHostileToken, REENTRANT } from './support/hostileToken.ts'
import { createJob } from './support/runJob.ts'
import { startEvm } from './support/startEvm.ts'
import { plainConfig, voucher } from './support/voucher.ts'
import { deployWorld, type World } from './support/world.ts'

let world: World
let evil: Awaited<ReturnType<typeof deployHostileToken>>

before(async () => {
  world = await deployWorld(await startEvm())
  evil = await deployHostileToken(world)
  const { deployer, caller, builder, channels, jobs } = world
  for (const [person, spender] of [
    [caller, channels],
    [builder, jobs],
  ] as const) {
    await evil.send(deployer, 'mint', [person.address, 10n ** 12n])
    await evil.send(person, 'approve', [spender.address, maxUint256])
  }
})

/** Points the token at one call, runs what transfers, and expects that the call was tried and turned away. */
async function refusesCallback(target: Hex, callback: Hex, act: () => Promise<unknown>) {
  await evil.send(world.deployer, 'arm', [target, callback])
  await act()
  assert.equal(await evil.read('calledBack', []), true)
  assert.equal(await evil.read('lastRefusal', []), REENTRANT)
}

test('a channel lets nobody back in while its money moves [C-03]', async () => {
  const { channels, caller, operator } = world
  const config = plainConfig(world, { token: evil.address })
  const other = { ...config, payer: evil.address, salt: keccak256('0x01') }
  const allocation = {
    version: 0n,
    provider: evil.address,
    providerShare: 1_000_000,
    gateway: evil.address,
    gatewayShare: 0,
  }
  const back = [
    channels.call('topUp', [config, 1n]),
    channels.call('open', [other, 1n]),
    channels.call('claim', [[]]),
    channels.call('closeNow', [config, 0n, '0x']),
    channels.call('withdrawDeposit', [config]),
    channels.call('withdrawCreditFor', [evil.address, evil.address]),
  ]
  await channels.send(caller, 'open', [config, 1_000n])
  for (const callback of back) {
    await refusesCallback(channels.address, callback, () => channels.send(caller, 'topUp', [config, 10n]))
  }
  const item = await voucher(world, caller, config, allocation, { cumulative: 100n })
  await channels.send(operator, 'claim', [[{ token: evil.address, allocation, items: [item] }]])
  for (const callback of back) {
    await evil.send(world.deployer, 'mint', [caller.address, 1n])
    await refusesCallback(channels.address, callback, () => channels.send(operator, 'closeNow', [config, 0n, '0x']))
    await channels.send(caller, 'topUp', [config, 10n])
  }
  const credit = channels.call('withdrawCreditFor', [evil.address, evil.address])
  await refusesCallback(channels.address, credit, () =>
    channels.send(operator, 'withdrawCreditFor', [evil.address, evil.address]),
  )
  assert.equal(await evil.read('balanceOf', [channels.address]), 10n)
})

test('a job lets nobody back in while its money moves [C-03]', async () => {
  const { jobs, builder, dollar } = world
  const { jobId: victim } = await createJob(world)
  const { jobId } = await createJob(world, { token: evil.address })
  const held = await dollar.read('balanceOf', [jobs.address])
  const back = [
    jobs.call('cancel', [victim]),
    jobs.call('refund', [jobId]),
    jobs.call('end', [victim]),
    jobs.call('claimPay', [jobId, 0n, evil.address, 1n, []]),
    jobs.call('publishModel', [jobId]),
  ]
  for (const callback of back) {
    const { jobId: next } = await createJob(world, { token: evil.address })
    await refusesCallback(jobs.address, callback, () => jobs.send(builder, 'cancel', [next]))
    await refusesCallback(jobs.address, callback, () => createJob(world, { token: evil.address }))
  }
  assert.equal(await dollar.read('balanceOf', [jobs.address]), held)
})
