import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { artifacts } from 'hardhat'
import { type Hex, keccak256, parseAbi, parseEther } from 'viem'
import { refuses } from '../support/refuses.ts'
import {
  type Crew,
  claimOf,
  finalise,
  fixSet,
  proposalOf,
  propose,
  type RunningJob,
  revealAll,
  startJob,
} from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'
import { deploy, deployWorld, makeNodes, type Node, ROLE, type World, ZERO_ADDRESS } from '../support/world.ts'

let world: World
let crew: Crew
let job: RunningJob
let account: `0x${string}`

before(async () => {
  world = await deployWorld(await startEvm())
  crew = {
    workers: await makeNodes(world, 10, 1, ROLE.WORKER),
    validators: await makeNodes(world, 20, 3, ROLE.VALIDATOR),
    witnesses: await makeNodes(world, 30, 5, ROLE.WITNESS),
  }
  account = (crew.workers[0] as Node).cold.address
  job = await startJob(world, crew, { turnSeconds: 1_000 })
  await fixSet(world, job, 0, [claimOf(account, 0)])
  await revealAll(world, job, 0)
})

const nodeOf = (address: string) => crew.validators.find(({ cold }) => cold.address === address) as Node
const honest = (pay: bigint, convictions = 0) => proposalOf([account], [pay], convictions).proposal

test('refuses a proposal out of turn, by a stranger, or for more than the rounds so far may cost [C-36] [C-37]', async () => {
  const { jobs, operator } = world
  const turn = await jobs.read('proposerNow', [job.jobId])
  const other = crew.validators.find(({ cold }) => cold.address !== turn) as Node
  await refuses(jobs.attempt(other.key, 'propose', [job.jobId, 0, honest(1n)]), 'NotYourTurn', [
    other.cold.address,
    turn,
  ])
  await refuses(jobs.attempt(operator, 'propose', [job.jobId, 0, honest(1n)]), 'NotNode')
  const args = [job.jobId, 0, honest(1_000_001n)] as const
  await refuses(jobs.attempt(nodeOf(turn).key, 'propose', args), 'PayoutOutOfRange', [1_000_001n, 0n, 1_000_000n])
})

test('the turn passes on after its time, and after a whole round of turns anyone may propose [C-36]', async () => {
  const { jobs, evm } = world
  const { firstProposer } = await jobs.read('status', [job.jobId])
  for (const step of [0, 1, 2]) {
    const expected = crew.validators[(firstProposer + step) % 3] as Node
    assert.equal(await jobs.read('proposerNow', [job.jobId]), expected.cold.address)
    await evm.advance(1_000)
  }
  assert.equal(await jobs.read('proposerNow', [job.jobId]), ZERO_ADDRESS)
  for (const { key } of crew.validators) await jobs.attempt(key, 'propose', [job.jobId, 0, honest(1n)])
})

test('a proposal that two thirds recomputed otherwise costs its validator everything and the next turn begins [C-39]', async () => {
  const { jobs, judge, registry, operator, salt } = world
  const liar = crew.validators[1] as Node
  const lie = honest(999_999n)
  await jobs.send(liar.key, 'propose', [job.jobId, 0, lie])
  await refuses(jobs.attempt(operator, 'convictProposal', [job.jobId, 0]), 'NotWrong')
  const subject = await jobs.read('proposalHashOf', [job.jobId, 0, lie])
  assert.equal((await jobs.read('status', [job.jobId])).proposalHash, subject)
  const found = await jobs.read('proposalHashOf', [job.jobId, 0, honest(500_000n)])
  const accusers = [crew.validators[0], crew.validators[2]] as [Node, Node]
  for (const { key } of accusers) await judge.send(key, 'vote', [job.jobId, subject, found])

  await world.evm.advance(20)
  await refuses(jobs.attempt(operator, 'finalise', [job.jobId, 0]), 'JudgedWrong', [subject])
  const supply = await salt.read('totalSupply', [])
  await jobs.send(operator, 'convictProposal', [job.jobId, 0])
  assert.equal(supply - (await salt.read('totalSupply', [])), parseEther('25'))
  for (const { cold } of accusers) assert.equal(await registry.read('rewardOf', [cold.address]), parseEther('12.5'))
  assert.equal(await jobs.read('expelled', [job.jobId, liar.cold.address]), true)
  assert.equal(await jobs.read('expulsionOf', [job.jobId, liar.cold.address]), 1)

  const status = await jobs.read('status', [job.jobId])
  assert.deepEqual([status.phase, status.firstProposer, status.expelledBits], [4, 2, 2n])
  assert.equal(await jobs.read('proposerNow', [job.jobId]), (crew.validators[2] as Node).cold.address)
  await refuses(jobs.attempt(liar.key, 'propose', [job.jobId, 0, lie]), 'NodeExpelled')
  await refuses(judge.attempt(liar.key, 'vote', [job.jobId, keccak256('0x01'), keccak256('0x02')]), 'NotValidator')
})

test('finality waits for the challenge window and opens the next round with the new beacon [C-40]', async () => {
  const { jobs, operator, evm } = world
  await propose(world, job, 0, honest(500_000n, 1))
  await refuses(jobs.attempt(operator, 'finalise', [job.jobId, 0]), 'TooEarly')
  await evm.advance(20)
  await jobs.send(operator, 'finalise', [job.jobId, 0])
  const status = await jobs.read('status', [job.jobId])
  assert.deepEqual([status.phase, status.round, status.attempt, status.finalRounds], [2, 1, 2, 1])
  assert.equal(status.committeeSeed, status.beacon)
})

test('a later payout may not fall below an earlier one, and an expelled validator is not waited for [C-37]', async () => {
  const { jobs } = world
  await fixSet(world, job, 1, [claimOf(account, 0)])
  const left = { ...job, crew: { ...crew, validators: crew.validators.filter((_, i) => i !== 1) } }
  await world.evm.mine(2)
  const { onion } = await import('../support/onion.ts')
  for (const i of [0, 2]) {
    await jobs.send((crew.validators[i] as Node).key, 'reveal', [job.jobId, 1, onion(i, 2).layer(1)])
  }
  assert.equal((await jobs.read('status', [job.jobId])).phase, 4)
  const turn = await jobs.read('proposerNow', [job.jobId])
  if (turn === (crew.validators[1] as Node).cold.address) await world.evm.advance(1_000)
  const proposer = nodeOf(await jobs.read('proposerNow', [job.jobId]))
  const args = [job.jobId, 1, honest(499_999n, 1)] as const
  await refuses(jobs.attempt(proposer.key, 'propose', args), 'PayoutOutOfRange', [499_999n, 500_000n, 2_000_000n])
  await propose(world, left, 1, honest(2_000_000n, 1))
  await finalise(world, job, 1)
  assert.equal((await jobs.read('status', [job.jobId])).phase, 6)
})

test('a proposal is not final while a question about it is before the judge [C-72]', async () => {
  const { jobs, operator, evm, deployer } = world
  const { bytecode } = await artifacts.readArtifact('SlowJudge')
  const judge = await deploy(evm, deployer, parseAbi(['function decide()']), bytecode as Hex, [])
  const slow = await startJob(world, crew, { judge: judge.address })
  await fixSet(world, slow, 0, [claimOf(account, 0)])
  await revealAll(world, slow, 0)
  const proposal = honest(1n)
  await propose(world, slow, 0, proposal)
  await evm.advance(slow.terms.challengeSeconds)
  const subject = await jobs.read('proposalHashOf', [slow.jobId, 0, proposal])
  await refuses(jobs.attempt(operator, 'finalise', [slow.jobId, 0]), 'UnderDispute', [subject])
  await judge.send(operator, 'decide', [])
  await jobs.send(operator, 'finalise', [slow.jobId, 0])
  assert.equal((await jobs.read('status', [slow.jobId])).finalRounds, 1)
})
