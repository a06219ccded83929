import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { keccak256, parseEther } from 'viem'
import { onion } from '../support/onion.ts'
import { refuses } from '../support/refuses.ts'
import { createJob, startJob } from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, makeAsset, makeNodes, type Node, ROLE, type World, ZERO_HASH } from '../support/world.ts'

let world: World
let workers: Node[]
let validators: Node[]
let witnesses: Node[]
let jobId: bigint

before(async () => {
  world = await deployWorld(await startEvm())
  workers = await makeNodes(world, 10, 3, ROLE.WORKER)
  validators = await makeNodes(world, 20, 3, ROLE.VALIDATOR)
  witnesses = await makeNodes(world, 30, 5, ROLE.WITNESS | ROLE.WORKER)
  ;({ jobId } = await createJob(world))
})

test('refuses strangers, roles that jobs do not have, roles the node does not have, and a validator without an onion [C-32]', async () => {
  const { jobs, operator } = world
  const [worker, validator] = [workers[0] as Node, validators[0] as Node]
  await refuses(jobs.attempt(operator, 'enrol', [jobId, ROLE.WORKER, ZERO_HASH]), 'NotNode', [operator.address])
  await refuses(jobs.attempt(worker.key, 'enrol', [jobId, 3, ZERO_HASH]), 'RoleInvalid', [3])
  await refuses(jobs.attempt(worker.key, 'enrol', [jobId, ROLE.KEEPER, ZERO_HASH]), 'RoleInvalid', [8])
  await refuses(jobs.attempt(worker.key, 'enrol', [jobId, ROLE.WITNESS, ZERO_HASH]), 'RoleMissing', [
    worker.cold.address,
    4,
  ])
  await refuses(jobs.attempt(validator.key, 'enrol', [jobId, ROLE.VALIDATOR, ZERO_HASH]), 'OnionMissing')
  await refuses(jobs.attempt(worker.key, 'enrol', [999n, ROLE.WORKER, ZERO_HASH]), 'UnknownJob', [999n])
})

test('refuses a bond that the node has not let the contract lock, or does not have', async () => {
  const { jobs, registry } = world
  const worker = workers[0] as Node
  await registry.send(worker.cold, 'allowLocker', [jobs.address, false])
  await refuses(jobs.attempt(worker.key, 'enrol', [jobId, ROLE.WORKER, ZERO_HASH]), 'LockerNotAllowed')
  await registry.send(worker.cold, 'allowLocker', [jobs.address, true])
  const dear = await createJob(world, { workerBond: parseEther('1001') })
  await refuses(jobs.attempt(worker.key, 'enrol', [dear.jobId, ROLE.WORKER, ZERO_HASH]), 'BondTooLow')
})

test('locks a bond for each role, with the node key or the cold key, once [C-32]', async () => {
  const { jobs, registry } = world
  const node = witnesses[0] as Node
  await jobs.send(node.key, 'enrol', [jobId, ROLE.WORKER, ZERO_HASH])
  await jobs.send(node.cold, 'enrol', [jobId, ROLE.WITNESS, ZERO_HASH])
  await refuses(jobs.attempt(node.key, 'enrol', [jobId, ROLE.WORKER, ZERO_HASH]), 'AlreadyEnrolled')
  assert.equal(await registry.read('freeBond', [node.cold.address]), parseEther('890'))
  const task = await jobs.read('taskOf', [jobId, ROLE.WORKER])
  assert.equal(await registry.read('lockedFor', [jobs.address, node.cold.address, task]), parseEther('100'))
  assert.deepEqual(await jobs.read('workersOf', [jobId]), [node.cold.address])
  assert.equal(await jobs.read('enrolmentOf', [jobId, ROLE.WITNESS, node.cold.address]), 1)
})

test('starts only with the minimums met; then only workers may still come [C-32]', async () => {
  const { jobs, operator } = world
  await refuses(jobs.attempt(operator, 'start', [jobId]), 'MinimumsNotMet', [jobId, ROLE.VALIDATOR, 0n, 3n])
  for (const [i, { key }] of validators.entries()) {
    await jobs.send(key, 'enrol', [jobId, ROLE.VALIDATOR, onion(i, 2).head])
  }
  await refuses(jobs.attempt(operator, 'start', [jobId]), 'MinimumsNotMet', [jobId, ROLE.WITNESS, 1n, 5n])
  for (const { key } of witnesses.slice(1, 5)) await jobs.send(key, 'enrol', [jobId, ROLE.WITNESS, ZERO_HASH])
  await jobs.send(operator, 'start', [jobId])
  await refuses(jobs.attempt(operator, 'start', [jobId]), 'WrongPhase', [jobId, 2, 1])
  const late = workers[0] as Node
  await jobs.send(late.key, 'enrol', [jobId, ROLE.WORKER, ZERO_HASH])
  await refuses(jobs.attempt((witnesses[1] as Node).key, 'enrol', [jobId, ROLE.WITNESS, ZERO_HASH]), 'EnrolmentClosed')
  assert.equal((await jobs.read('status', [jobId])).workers, 2)
})

test('with fewer witnesses than the committee has seats all of them sit, in order; with more, distinct ones [C-06]', async () => {
  const { jobs } = world
  assert.deepEqual(
    await jobs.read('committeeOf', [jobId]),
    witnesses.map(({ cold }) => cold.address),
  )
  const crew = { workers, validators, witnesses }
  const small = await startJob(world, crew, { committeeSize: 3, quorum: 2 })
  const committee = await jobs.read('committeeOf', [small.jobId])
  assert.equal(new Set(committee).size, 3)
  for (const member of committee) assert.ok(witnesses.some(({ cold }) => cold.address === member))
})

test('in a private job only owners of its data work [C-32]', async () => {
  const { jobs } = world
  const owner = workers[1] as Node
  const { version, assetId } = await makeAsset(world, owner.cold)
  const job = await createJob(world, { trustClass: 2, minWorkers: 3, dataVersions: [version], parentShares: [0] })
  const stranger = workers[2] as Node
  await refuses(jobs.attempt(stranger.key, 'enrol', [job.jobId, ROLE.WORKER, ZERO_HASH]), 'NotDataOwner', [
    job.jobId,
    stranger.cold.address,
  ])
  await jobs.send(owner.key, 'enrol', [job.jobId, ROLE.WORKER, ZERO_HASH])
  await world.assets.send(owner.cold, 'transferFrom', [owner.cold.address, stranger.cold.address, assetId])
  await jobs.send(stranger.key, 'enrol', [job.jobId, ROLE.WORKER, keccak256('0x00')])
})

test('bonds come free after a cancelled job, once, and not before it is over [C-44]', async () => {
  const { jobs, registry, builder, operator } = world
  const job = await createJob(world)
  const node = workers[2] as Node
  await jobs.send(node.key, 'enrol', [job.jobId, ROLE.WORKER, ZERO_HASH])
  const free = await registry.read('freeBond', [node.cold.address])
  const release = [job.jobId, node.cold.address, ROLE.WORKER] as const
  await refuses(jobs.attempt(operator, 'release', release), 'NotReleasable')
  await jobs.send(builder, 'cancel', [job.jobId])
  await refuses(jobs.attempt(node.key, 'enrol', [job.jobId, ROLE.WORKER, ZERO_HASH]), 'EnrolmentClosed')
  await jobs.send(operator, 'release', release)
  assert.equal((await registry.read('freeBond', [node.cold.address])) - free, parseEther('100'))
  await refuses(jobs.attempt(operator, 'release', release), 'NotReleasable')
  await refuses(jobs.attempt(operator, 'release', [job.jobId, node.cold.address, ROLE.WITNESS]), 'NotReleasable')
})
