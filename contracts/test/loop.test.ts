import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keccak256, parseEther } from 'viem'
import { claimOf, finalise, fixSet, proposalOf, propose, revealAll, startJob } from './support/runJob.ts'
import { startEvm } from './support/startEvm.ts'
import { voucher } from './support/voucher.ts'
import { deployWorld, makeAsset, makeNodes, PURPOSE, ROLE } from './support/world.ts'

test('a job of two rounds pays its workers, frees every bond and becomes a model that pays them again', async () => {
  const world = await deployWorld(await startEvm())
  const { jobs, assets, registry, dollar, builder, operator, caller } = world
  const crew = {
    workers: await makeNodes(world, 10, 3, ROLE.WORKER),
    validators: await makeNodes(world, 20, 3, ROLE.VALIDATOR),
    witnesses: await makeNodes(world, 30, 7, ROLE.WITNESS),
  }
  const data = await makeAsset(world, caller, { minShare: 100_000, trainPrice: 7_000n })
  const builderBefore = await dollar.read('balanceOf', [builder.address])
  const job = await startJob(world, crew, { dataVersions: [data.version], parentShares: [300_000] })
  const { jobId } = job
  assert.equal(await assets.read('grossOf', [data.version, dollar.address]), 7_000n)

  const accounts = crew.workers.map(({ cold }) => cold.address)
  const claims = accounts.map((worker, i) => claimOf(worker, i))
  const pays = [
    [300_000n, 300_000n, 400_000n],
    [700_000n, 500_000n, 700_000n],
  ] as const
  for (const round of [0, 1] as const) {
    await fixSet(world, job, round, claims)
    await revealAll(world, job, round)
    assert.equal((await jobs.read('status', [jobId])).phase, 4)
    await propose(world, job, round, proposalOf(accounts, [...pays[round]]).proposal)
    await finalise(world, job, round)
  }
  const done = await jobs.read('status', [jobId])
  assert.equal(done.phase, 6)
  assert.equal(done.finalRounds, 2)

  const { tree } = proposalOf(accounts, [...pays[1]])
  for (const [i, account] of accounts.entries()) {
    await jobs.send(operator, 'claimPay', [jobId, BigInt(i), account, pays[1][i] as bigint, tree.proof(i)])
    assert.equal(await dollar.read('balanceOf', [account]), pays[1][i] as bigint)
  }
  await jobs.send(operator, 'refund', [jobId])
  assert.equal(builderBefore - (await dollar.read('balanceOf', [builder.address])), 1_900_000n + 7_000n)
  assert.equal(await dollar.read('balanceOf', [jobs.address]), 0n)

  for (const [nodes, role] of [
    [crew.workers, ROLE.WORKER],
    [crew.validators, ROLE.VALIDATOR],
    [crew.witnesses, ROLE.WITNESS],
  ] as const) {
    for (const { cold } of nodes) {
      await jobs.send(operator, 'release', [jobId, cold.address, role])
      assert.equal(await registry.read('freeBond', [cold.address]), parseEther('1000'))
    }
  }

  await jobs.send(operator, 'publishModel', [jobId])
  const model = (await jobs.read('status', [jobId])).modelVersion
  const terms = await assets.read('termsOf', [model])
  assert.deepEqual(terms.parents, [data.version])
  assert.equal(terms.contributorsRoot, tree.root)
  assert.equal(terms.purposes, PURPOSE.SERVE | PURPOSE.COMMERCIAL)

  await assets.send(caller, 'pay', [model, dollar.address, 1_000_000n])
  await assets.send(operator, 'pullPath', [[model, data.version], dollar.address])
  await assets.send(operator, 'settle', [model, dollar.address])
  await assets.send(operator, 'settle', [data.version, dollar.address])
  for (const [i, account] of accounts.entries()) {
    await assets.send(operator, 'claimContributor', [
      model,
      dollar.address,
      BigInt(i),
      account,
      pays[1][i] as bigint,
      tree.proof(i),
    ])
  }
  const owed = await Promise.all(
    [builder.address, caller.address, ...accounts].map((who) => assets.read('owed', [dollar.address, who])),
  )
  // 1,000,000: half to the builder, 30 % to the data (with its price of 7,000), 20 % in the proportion 7 : 5 : 7.
  assert.deepEqual(owed, [500_000n, 307_000n, 73_684n, 52_631n, 73_684n])
})

test('a channel pays a version, a provider and a gateway from vouchers that nobody else could have signed', async () => {
  const world = await deployWorld(await startEvm())
  const { channels, assets, dollar, caller, operator, builder, deployer, evm } = world
  const { version } = await makeAsset(world, builder)
  const config = {
    payer: caller.address,
    signer: caller.address,
    operator: operator.address,
    token: dollar.address,
    withdrawDelaySeconds: 3600,
    salt: keccak256('0x0a'),
  }
  const allocation = {
    version,
    provider: deployer.address,
    providerShare: 600_000,
    gateway: operator.address,
    gatewayShare: 100_000,
  }
  await channels.send(caller, 'open', [config, 1_000n])
  const channelId = await channels.read('channelIdOf', [config])
  const item = await voucher(world, caller, config, allocation, { cumulative: 101n })
  await channels.send(operator, 'claim', [[{ token: dollar.address, allocation, items: [item] }]])

  assert.equal(await channels.read('creditOf', [dollar.address, deployer.address]), 60n)
  assert.equal(await channels.read('creditOf', [dollar.address, operator.address]), 10n)
  assert.equal(await assets.read('grossOf', [version, dollar.address]), 31n)
  assert.equal((await channels.read('channelOf', [channelId])).claimedLane0, 101n)

  await channels.send(caller, 'requestWithdraw', [config])
  await evm.advance(3600)
  await channels.send(operator, 'withdrawDeposit', [config])
  assert.equal(await dollar.read('balanceOf', [channels.address]), 70n)
})
