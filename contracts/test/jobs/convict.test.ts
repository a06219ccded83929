import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Hex, keccak256, parseEther } from 'viem'
import { refuses } from '../support/refuses.ts'
import { type Crew, claimOf, fixSet, type RunningJob, startJob } from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, makeNodes, type Node, ROLE, type World, ZERO_HASH } from '../support/world.ts'

let world: World
let crew: Crew
let job: RunningJob
let set: Awaited<ReturnType<typeof fixSet>>['set']
const honest: Hex = keccak256('0x77')

before(async () => {
  world = await deployWorld(await startEvm())
  crew = {
    workers: await makeNodes(world, 10, 5, ROLE.WORKER),
    validators: await makeNodes(world, 20, 3, ROLE.VALIDATOR),
    witnesses: await makeNodes(world, 30, 5, ROLE.WITNESS),
  }
  job = await startJob(world, crew)
  ;({ set } = await fixSet(
    world,
    job,
    0,
    crew.workers.map(({ cold }, i) => claimOf(cold.address, i)),
  ))
})

const convict = (i: number, at = i, round = 0) =>
  [job.jobId, round, set.claims[i] as (typeof set.claims)[number], BigInt(at), set.proof(at)] as const
const vote = (validator: number, subject: Hex, found: Hex) =>
  world.judge.send((crew.validators[validator] as Node).key, 'vote', [job.jobId, subject, found])

test('refuses votes of others, empty votes and a second vote [C-51]', async () => {
  const { judge, operator } = world
  const [subject, voter] = [set.leaves[0] as Hex, (crew.validators[0] as Node).key]
  await refuses(judge.attempt(operator, 'vote', [job.jobId, subject, honest]), 'NotValidator')
  await refuses(judge.attempt((crew.workers[0] as Node).key, 'vote', [job.jobId, subject, honest]), 'NotValidator')
  await refuses(judge.attempt(voter, 'vote', [job.jobId, subject, ZERO_HASH]), 'EmptyVote')
  await vote(0, subject, honest)
  await refuses(judge.attempt(voter, 'vote', [job.jobId, subject, keccak256('0x01')]), 'AlreadyVoted')
})

test('validators that merely disagree convict nobody; two thirds that found it right clear it [C-50]', async () => {
  const { jobs, judge, operator } = world
  const subject = set.leaves[0] as Hex
  await vote(1, subject, keccak256('0x78'))
  await vote(2, subject, keccak256('0x79'))
  assert.equal(await judge.read('verdict', [job.jobId, subject]), 0)
  assert.deepEqual(await judge.read('accusers', [job.jobId, subject]), [])
  await refuses(jobs.attempt(operator, 'convict', convict(0)), 'NotWrong', [subject])

  const right = set.leaves[1] as Hex
  await vote(0, right, right)
  await vote(1, right, right)
  assert.equal(await judge.read('verdict', [job.jobId, right]), 1)
  await refuses(jobs.attempt(operator, 'convict', convict(1)), 'NotWrong', [right])
  assert.deepEqual(await judge.read('accusers', [job.jobId, right]), [])
})

test('refuses a claim that is not in the set of that round [C-38]', async () => {
  const { jobs, operator } = world
  await vote(0, set.leaves[2] as Hex, honest)
  await vote(2, set.leaves[2] as Hex, honest)
  await refuses(jobs.attempt(operator, 'convict', convict(2, 3)), 'ClaimProofInvalid')
  await refuses(jobs.attempt(operator, 'convict', convict(2, 2, 1)), 'ClaimProofInvalid')
  const changed = { ...claimOf((crew.workers[2] as Node).cold.address, 2), units: 1n }
  await refuses(jobs.attempt(operator, 'convict', [job.jobId, 0, changed, 2n, set.proof(2)]), 'ClaimProofInvalid')
})

test('a wrong claim costs the whole bond: half burned, half to those who showed it, and the worker is out [C-38] [C-12]', async () => {
  const { jobs, judge, registry, salt, operator } = world
  const liar = crew.workers[2] as Node
  assert.equal(await judge.read('verdict', [job.jobId, set.leaves[2] as Hex]), 2)
  const supply = await salt.read('totalSupply', [])
  await jobs.send(operator, 'convict', convict(2))
  assert.equal(supply - (await salt.read('totalSupply', [])), parseEther('50'))
  for (const i of [0, 2]) {
    assert.equal(await registry.read('rewardOf', [(crew.validators[i] as Node).cold.address]), parseEther('25'))
  }
  assert.equal(await registry.read('rewardOf', [(crew.validators[1] as Node).cold.address]), 0n)
  const info = await registry.read('nodeInfo', [liar.cold.address])
  assert.deepEqual([info.bonded, info.locked, info.slashCount], [parseEther('900'), 0n, 1])
  await refuses(jobs.attempt(operator, 'convict', convict(2)), 'NodeExpelled', [job.jobId, liar.cold.address])
})

test('an expelled worker posts and enrols no more [C-38]', async () => {
  const { jobs, operator, evm } = world
  const liar = crew.workers[2] as Node
  const next = await startJob(world, crew)
  await jobs.send(liar.key, 'postClaim', [next.jobId, 0, honest])
  assert.equal(await jobs.read('expelled', [next.jobId, liar.cold.address]), false)
  await refuses(jobs.attempt(liar.key, 'enrol', [job.jobId, ROLE.WORKER, ZERO_HASH]), 'AlreadyEnrolled')
  await evm.mine(1)
  await refuses(jobs.attempt(liar.key, 'postClaim', [job.jobId, 0, honest]), 'WrongPhase')
  assert.equal(await jobs.attempt(operator, 'skipRound', [next.jobId, 0]).catch(() => 'early'), 'early')
})
