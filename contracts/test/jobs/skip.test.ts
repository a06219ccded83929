import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { encodeAbiParameters, keccak256 } from 'viem'
import { refuses } from '../support/refuses.ts'
import { type Crew, claimOf, createJob, fixSet, type RunningJob, startJob } from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, makeNodes, type Node, ROLE, type World, ZERO_HASH } from '../support/world.ts'

let world: World
let crew: Crew
let job: RunningJob
const WEEK = 7n * 86_400n

before(async () => {
  world = await deployWorld(await startEvm())
  crew = {
    workers: await makeNodes(world, 10, 1, ROLE.WORKER),
    validators: await makeNodes(world, 20, 3, ROLE.VALIDATOR),
    witnesses: await makeNodes(world, 30, 9, ROLE.WITNESS),
  }
  job = await startJob(world, crew)
})

test('refuses to skip a round that may still be fixed, and to end a job that moves [C-41]', async () => {
  const { jobs, operator, builder } = world
  await refuses(jobs.attempt(operator, 'skipRound', [job.jobId, 0]), 'TooEarly')
  await refuses(jobs.attempt(builder, 'end', [job.jobId]), 'NotStalled', [job.jobId])
  await refuses(jobs.attempt(builder, 'end', [999n]), 'UnknownJob', [999n])
})

test('a skipped round opens again with another committee and an empty list of direct claims [C-41]', async () => {
  const { jobs, operator, evm } = world
  const worker = (crew.workers[0] as Node).key
  await jobs.send(worker, 'postClaim', [job.jobId, 0, keccak256('0x01')])
  const before = await jobs.read('status', [job.jobId])
  await evm.advance(60)
  await jobs.send(operator, 'skipRound', [job.jobId, 0])
  const after = await jobs.read('status', [job.jobId])
  const seed = keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint32' }], [before.committeeSeed, 1]))
  assert.deepEqual([after.round, after.attempt, after.skips, after.committeeSeed], [0, 2, 1, seed])
  assert.deepEqual([after.directHash, after.directCount], [ZERO_HASH, 0])
  await jobs.send(worker, 'postClaim', [job.jobId, 0, keccak256('0x01')])
})

test('after three skips in a row the builder may give up; a fixed set starts the count again [C-41]', async () => {
  const { jobs, operator, builder, evm, dollar } = world
  const skip = async (jobId: bigint) => {
    await evm.advance(60)
    await jobs.send(operator, 'skipRound', [jobId, 0])
  }
  await skip(job.jobId)
  await fixSet(world, job, 0, [claimOf((crew.workers[0] as Node).cold.address, 0)])
  assert.equal((await jobs.read('status', [job.jobId])).skips, 0)

  const other = await startJob(world, crew)
  for (let i = 0; i < 3; i++) await skip(other.jobId)
  await refuses(jobs.attempt(operator, 'end', [other.jobId]), 'NotStalled')
  await jobs.send(builder, 'end', [other.jobId])
  assert.equal((await jobs.read('status', [other.jobId])).phase, 6)
  const held = await dollar.read('balanceOf', [builder.address])
  await jobs.send(operator, 'refund', [other.jobId])
  assert.equal((await dollar.read('balanceOf', [builder.address])) - held, 2_000_000n)
  await refuses(jobs.attempt(operator, 'refund', [other.jobId]), 'AlreadyRefunded', [other.jobId])
  await refuses(jobs.attempt(operator, 'publishModel', [other.jobId]), 'NothingToPublish', [other.jobId])
})

test('anyone ends a job that has stood still for a week, whatever the phase, so that no bond is stuck [C-41]', async () => {
  const { jobs, operator, evm, dollar, builder, registry } = world
  const enrolling = await createJob(world)
  await refuses(jobs.attempt(operator, 'end', [enrolling.jobId]), 'NotStalled')
  const open = await startJob(world, crew)
  await evm.advance(WEEK)
  // Skipping does not count as a move.
  await jobs.send(operator, 'skipRound', [open.jobId, 0])
  await refuses(jobs.attempt(operator, 'end', [open.jobId]), 'NotStalled')
  await evm.advance(110)
  const held = await dollar.read('balanceOf', [builder.address])
  await jobs.send(operator, 'end', [enrolling.jobId])
  assert.equal((await jobs.read('status', [enrolling.jobId])).phase, 7)
  assert.equal((await dollar.read('balanceOf', [builder.address])) - held, 2_000_000n)
  for (const { jobId } of [open, job]) {
    await jobs.send(operator, 'end', [jobId])
    assert.equal((await jobs.read('status', [jobId])).phase, 6)
  }
  const worker = (crew.workers[0] as Node).cold.address
  const locked = (await registry.read('nodeInfo', [worker])).locked
  await jobs.send(operator, 'release', [job.jobId, worker, ROLE.WORKER])
  assert.ok((await registry.read('nodeInfo', [worker])).locked < locked)
  await refuses(jobs.attempt(operator, 'end', [open.jobId]), 'NotStalled')
})
