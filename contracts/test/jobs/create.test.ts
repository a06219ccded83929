import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { parseEther } from 'viem'
import { refuses } from '../support/refuses.ts'
import { createJob } from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'
import {
  deployWorld,
  type JobTerms,
  makeAsset,
  PURPOSE,
  plainJob,
  plainTerms,
  type World,
  ZERO_ADDRESS,
} from '../support/world.ts'

let world: World
before(async () => {
  world = await deployWorld(await startEvm())
})

const attempt = (changes: Partial<JobTerms>) =>
  world.jobs.attempt(world.builder, 'create', [{ ...plainJob(world), ...changes }])

test('refuses terms under which a job could not run, naming the field [C-31]', async () => {
  const bad: [string, Partial<JobTerms>][] = [
    ['rounds', { rounds: 0 }],
    ['payPerRound', { payPerRound: 0n }],
    ['payPerRound', { payPerRound: 2n ** 127n, rounds: 2 }],
    ['trustClass', { trustClass: 3 }],
    ['quorum', { quorum: 8 }],
    ['quorum', { quorum: 0 }],
    ['quorum', { committeeSize: 10 }],
    ['minWitnesses', { minWitnesses: 4 }],
    ['minWorkers', { minWorkers: 0 }],
    ['minWorkers', { trustClass: 2, minWorkers: 2 }],
    ['minValidators', { minValidators: 0 }],
    ['minValidators', { minValidators: 65 }],
    ['missingPenalty', { missingPenalty: parseEther('51') }],
    ['fixSeconds', { fixSeconds: 0 }],
    ['revealSeconds', { revealSeconds: 0 }],
    ['turnSeconds', { turnSeconds: 0 }],
    ['challengeSeconds', { challengeSeconds: 0 }],
    ['judge', { judge: ZERO_ADDRESS }],
  ]
  for (const [field, changes] of bad) await refuses(attempt(changes), 'TermsInvalid', [field])
})

test('refuses data whose licence does not grant what the job is for, with both sides [C-31]', async () => {
  const { version } = await makeAsset(world, world.caller, { purposes: PURPOSE.EVALUATE | PURPOSE.DERIVE })
  const asked = PURPOSE.TRAIN | PURPOSE.DERIVE | PURPOSE.SERVE | PURPOSE.COMMERCIAL
  await refuses(attempt({ dataVersions: [version], parentShares: [0] }), 'LicenceNotGranted', [
    version,
    asked,
    PURPOSE.EVALUATE | PURPOSE.DERIVE,
  ])
})

test('refuses to give data less than its owner asks, or to publish what could never be published [C-31]', async () => {
  const { version } = await makeAsset(world, world.caller, { minShare: 10 })
  await refuses(attempt({ dataVersions: [version], parentShares: [9] }), 'ShareTooSmall', [version, 9, 10])
  await refuses(attempt({ dataVersions: [version], parentShares: [900_000] }), 'SharesTooLarge', [1_100_000n])
  await refuses(attempt({ dataVersions: [version, version], parentShares: [10, 10] }), 'ParentOrder', [version])
  await refuses(attempt({ dataVersions: [version], parentShares: [10], token: world.salt.address }), 'TokenNotAccepted')
})

test('refuses to pay a training price in another token than the data wants', async () => {
  const { assets, caller, salt, dollar } = world
  const terms = { ...plainTerms, trainPrice: 5n }
  const receipt = await assets.send(caller, 'create', [caller.address, [salt.address, dollar.address], terms])
  const version = assets.events(receipt, 'VersionAdded')[0]?.version as bigint
  await refuses(attempt({ dataVersions: [version], parentShares: [0] }), 'TrainPriceToken', [
    version,
    dollar.address,
    salt.address,
  ])
})

test('takes pay and training prices in one go, passes the prices on, keeps the terms [C-30] [C-31]', async () => {
  const { jobs, assets, dollar, builder, caller } = world
  const { version: a } = await makeAsset(world, caller, { trainPrice: 11n })
  const { version: b } = await makeAsset(world, caller, { trainPrice: 0n })
  const held = await dollar.read('balanceOf', [builder.address])
  const { jobId, terms } = await createJob(world, { dataVersions: [a, b], parentShares: [1, 2] })
  assert.equal(held - (await dollar.read('balanceOf', [builder.address])), 2_000_011n)
  assert.equal(await assets.read('grossOf', [a, dollar.address]), 11n)
  assert.equal(await dollar.read('balanceOf', [jobs.address]), 2_000_000n)
  assert.equal(await dollar.read('allowance', [jobs.address, assets.address]), 0n)
  assert.deepEqual(await jobs.read('termsOf', [jobId]), terms)
  const status = await jobs.read('status', [jobId])
  assert.deepEqual([status.phase, status.builder], [1, builder.address])
})

test('is cancelled by its builder only, before the start, for the whole pay; the prices stay paid', async () => {
  const { jobs, dollar, builder, caller } = world
  const { jobId } = await createJob(world)
  await refuses(jobs.attempt(caller, 'cancel', [jobId]), 'NotBuilder', [jobId, caller.address])
  await refuses(jobs.attempt(caller, 'cancel', [999n]), 'UnknownJob', [999n])
  const held = await dollar.read('balanceOf', [builder.address])
  await jobs.send(builder, 'cancel', [jobId])
  assert.equal((await dollar.read('balanceOf', [builder.address])) - held, 2_000_000n)
  await refuses(jobs.attempt(builder, 'cancel', [jobId]), 'WrongPhase', [jobId, 7, 1])
  await refuses(jobs.attempt(builder, 'refund', [jobId]), 'WrongPhase', [jobId, 7, 6])
})
