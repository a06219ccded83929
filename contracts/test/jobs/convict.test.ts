import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Hex, keccak256, parseEther } from 'viem'
import { refuses } from '../support/refuses.ts'
import { type Crew, claimOf, fixSet, proposalOf, type RunningJob, revealAll, startJob } from '../support/runJob.ts'
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

test('convictions are counted in order, a node once, and a proposal names how many there are [C-71]', async () => {
  const { jobs, judge, operator, evm } = world
  const [both] = (await makeNodes(world, 40, 1, ROLE.WORKER | ROLE.VALIDATOR)) as [Node]
  const [first, second] = crew.validators as [Node, Node]
  const workers = [crew.workers[0] as Node, both]
  const next = await startJob(world, { ...crew, workers, validators: [first, second, both] })
  const claims = workers.map(({ cold }, i) => claimOf(cold.address, i))
  const { set } = await fixSet(world, next, 0, claims)
  await revealAll(world, next, 0)
  const find = async (subject: Hex) => {
    for (const { key } of [first, second]) await judge.send(key, 'vote', [next.jobId, subject, honest])
  }
  const convictAt = async (i: number) => {
    await find(set.leaves[i] as Hex)
    await jobs.send(operator, 'convict', [next.jobId, 0, claims[i] as (typeof claims)[number], BigInt(i), set.proof(i)])
  }
  const counts = async () => [
    await jobs.read('convictionCount', [next.jobId]),
    ...(await Promise.all(workers.map(({ cold }) => jobs.read('expulsionOf', [next.jobId, cold.address])))),
  ]
  const counting = (convictions: number) =>
    [next.jobId, 0, proposalOf([both.cold.address], [1n], convictions).proposal] as const

  assert.deepEqual(await counts(), [0, 0, 0])
  await convictAt(0)
  assert.deepEqual(await counts(), [1, 1, 0])
  // After all turns, so that any validator may.
  await evm.advance(1_000)
  for (const given of [0, 2]) {
    await refuses(jobs.attempt(both.key, 'propose', counting(given)), 'ConvictionsDiffer', [given, 1])
  }
  await jobs.send(both.key, 'propose', counting(1))
  await convictAt(1)
  assert.deepEqual(await counts(), [2, 1, 2])
  await find(await jobs.read('proposalHashOf', counting(1)))
  await jobs.send(operator, 'convictProposal', [next.jobId, 0])
  assert.deepEqual(await counts(), [2, 1, 2])
  await evm.advance(1_000)
  await refuses(jobs.attempt(first.key, 'propose', counting(1)), 'ConvictionsDiffer', [1, 2])
  await jobs.send(first.key, 'propose', counting(2))
})
