import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keccak256, toHex } from 'viem'
import { CLOCK_SECONDS, deployReferee } from '../support/refereeWorld.ts'
import { refuses } from '../support/refuses.ts'
import { claimOf, fixSet, proposalOf, propose, revealAll, startJob } from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, makeNodes, ROLE } from '../support/world.ts'

test('a proposal that the validators find wrong is convicted through the referee, one that stands becomes final [D-22]', async () => {
  const world = await deployWorld(await startEvm())
  const referee = await deployReferee(world, CLOCK_SECONDS)
  const crew = {
    workers: await makeNodes(world, 10, 1, ROLE.WORKER),
    validators: await makeNodes(world, 20, 3, ROLE.VALIDATOR),
    witnesses: await makeNodes(world, 30, 7, ROLE.WITNESS),
  }
  const { jobs, judge, operator, evm } = world
  const job = await startJob(world, crew, { judge: referee.address })
  const { jobId } = job
  const accounts = crew.workers.map(({ cold }) => cold.address)
  await fixSet(world, job, 0, accounts.map(claimOf))
  await revealAll(world, job, 0)
  const { proposal } = proposalOf(accounts, [1_000n])
  const { proposer } = await propose(world, job, 0, proposal)
  const subject = await jobs.read('proposalHashOf', [jobId, 0, proposal])
  await refuses(jobs.attempt(operator, 'convictProposal', [jobId, 0]), 'NotWrong')
  const others = crew.validators.filter(({ cold }) => cold.address !== proposer.cold.address)
  for (const { key } of others) await judge.send(key, 'vote', [jobId, subject, keccak256(toHex('another'))])
  assert.equal(await referee.read('verdict', [jobId, subject]), 2)
  assert.deepEqual(
    await referee.read('accusers', [jobId, subject]),
    others.map(({ cold }) => cold.address),
  )
  await jobs.send(operator, 'convictProposal', [jobId, 0])

  const second = { ...proposal, auditRoot: keccak256(toHex('second')) }
  await propose(world, job, 0, second)
  const next = await jobs.read('proposalHashOf', [jobId, 0, second])
  for (const { key } of others) await judge.send(key, 'vote', [jobId, next, next])
  assert.equal(await referee.read('verdict', [jobId, next]), 1)
  await evm.advance(job.terms.challengeSeconds)
  await jobs.send(operator, 'finalise', [jobId, 0])
})
