import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { encodeAbiParameters, type Hex, keccak256, parseEther } from 'viem'
import { onion } from '../support/onion.ts'
import { refuses } from '../support/refuses.ts'
import {
  type Crew,
  claimOf,
  finalise,
  fixSet,
  proposalOf,
  propose,
  type RunningJob,
  startJob,
} from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, makeNodes, type Node, ROLE, type World, ZERO_HASH } from '../support/world.ts'

let world: World
let crew: Crew
let job: RunningJob
let firstBeacon: Hex

before(async () => {
  world = await deployWorld(await startEvm())
  crew = {
    workers: await makeNodes(world, 10, 1, ROLE.WORKER),
    validators: await makeNodes(world, 20, 3, ROLE.VALIDATOR),
    witnesses: await makeNodes(world, 30, 5, ROLE.WITNESS),
  }
  job = await startJob(world, crew)
  firstBeacon = (await world.jobs.read('status', [job.jobId])).beacon
  await fixSet(world, job, 0, [claimOf((crew.workers[0] as Node).cold.address, 0)])
})

const reveal = (i: number, layer: number, round = 0) =>
  [job.jobId, round, onion(i, job.terms.rounds).layer(layer)] as const
const keyOf = (i: number) => (crew.validators[i] as Node).key

test('refuses a reveal before its block, so that claims are final first [C-35]', async () => {
  await refuses(world.jobs.attempt(keyOf(0), 'reveal', reveal(0, 0)), 'TooEarly')
})

test("refuses a stranger, another's layer, a later layer and a second reveal [C-35]", async () => {
  const { jobs, evm, operator } = world
  await evm.mine(2)
  await refuses(jobs.attempt(operator, 'reveal', reveal(0, 0)), 'NotNode')
  await refuses(jobs.attempt((crew.workers[0] as Node).key, 'reveal', reveal(0, 0)), 'NotEnrolled')
  await refuses(jobs.attempt(keyOf(0), 'reveal', reveal(1, 0)), 'WrongPreimage')
  await refuses(jobs.attempt(keyOf(0), 'reveal', reveal(0, 1)), 'WrongPreimage')
  await jobs.send(keyOf(0), 'reveal', reveal(0, 0))
  await refuses(jobs.attempt(keyOf(0), 'reveal', reveal(0, 1)), 'AlreadyRevealed')
  await refuses(jobs.attempt(operator, 'closeBeacon', [job.jobId, 0]), 'TooEarly')
})

test('folds the layers of all into the next beacon, the same in any order [C-35]', async () => {
  const { jobs } = world
  await jobs.send(keyOf(2), 'reveal', reveal(2, 0))
  await jobs.send(keyOf(1), 'reveal', reveal(1, 0))
  const folded = [0, 1, 2]
    .map((i) =>
      keccak256(encodeAbiParameters([{ type: 'uint256' }, { type: 'bytes32' }], [BigInt(i), onion(i, 2).layer(0)])),
    )
    .reduce((sum, hash) => sum ^ BigInt(hash), 0n)
  const expected = keccak256(
    encodeAbiParameters(
      [{ type: 'uint256' }, { type: 'uint32' }, { type: 'bytes32' }, { type: 'bytes32' }],
      [job.jobId, 0, firstBeacon, `0x${folded.toString(16).padStart(64, '0')}`],
    ),
  )
  const status = await jobs.read('status', [job.jobId])
  assert.deepEqual([status.phase, status.beacon, status.beaconMissing], [4, expected, false])
  assert.equal(status.firstProposer, Number(BigInt(expected) % 3n))
})

test('whoever stays silent loses the penalty, all of it burned, and the round goes on [C-35]', async () => {
  const { jobs, registry, evm, operator, salt } = world
  const account = (crew.workers[0] as Node).cold.address
  await propose(world, job, 0, proposalOf([account], [10n]).proposal)
  await finalise(world, job, 0)
  await fixSet(world, job, 1, [claimOf(account, 0)])
  await evm.mine(2)
  await jobs.send(keyOf(1), 'reveal', reveal(1, 1, 1))
  const supply = await salt.read('totalSupply', [])
  await evm.advance(29)
  await evm.advance(1)
  await jobs.send(operator, 'closeBeacon', [job.jobId, 1])
  const status = await jobs.read('status', [job.jobId])
  assert.deepEqual([status.phase, status.beaconMissing, status.revealed], [4, true, 1])
  assert.equal(supply - (await salt.read('totalSupply', [])), parseEther('10'))
  for (const i of [0, 2]) {
    const { cold } = crew.validators[i] as Node
    assert.equal((await registry.read('nodeInfo', [cold.address])).slashedTotal, parseEther('5'))
  }
  await refuses(jobs.attempt(keyOf(0), 'reveal', reveal(0, 1, 1)), 'WrongPhase')
  assert.notEqual(status.beacon, ZERO_HASH)
})
