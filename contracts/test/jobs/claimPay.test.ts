import assert from 'node:assert/strict'
import { before, test } from 'node:test'
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
import { deployWorld, makeNodes, ROLE, type World } from '../support/world.ts'

let world: World
let crew: Crew
let job: RunningJob
let accounts: `0x${string}`[]

before(async () => {
  world = await deployWorld(await startEvm())
  crew = {
    workers: await makeNodes(world, 10, 3, ROLE.WORKER),
    validators: await makeNodes(world, 20, 3, ROLE.VALIDATOR),
    witnesses: await makeNodes(world, 30, 5, ROLE.WITNESS),
  }
  accounts = crew.workers.map(({ cold }) => cold.address)
  job = await startJob(world, crew)
})

async function playRound(round: number, pays: bigint[]) {
  await fixSet(world, job, round, accounts.map(claimOf))
  await revealAll(world, job, round)
  const { tree, proposal } = proposalOf(accounts, pays)
  await propose(world, job, round, proposal)
  await finalise(world, job, round)
  return (i: number) => [job.jobId, BigInt(i), accounts[i] as `0x${string}`, pays[i] as bigint, tree.proof(i)] as const
}

test('refuses to pay before a round is final, on a wrong proof, and twice [C-42]', async () => {
  const { jobs, operator } = world
  const { tree } = proposalOf(accounts, [1n, 2n, 3n])
  await refuses(
    jobs.attempt(operator, 'claimPay', [job.jobId, 0n, accounts[0] as `0x${string}`, 1n, tree.proof(0)]),
    'SumProofInvalid',
  )
  const args = await playRound(0, [300n, 200n, 100n])
  const [id, index, account, amount, proof] = args(0)
  await refuses(jobs.attempt(operator, 'claimPay', [id, index, account, amount + 1n, proof]), 'SumProofInvalid')
  await refuses(jobs.attempt(operator, 'claimPay', [id, 1n, account, amount, proof]), 'SumProofInvalid')
  await refuses(jobs.attempt(operator, 'claimPay', [id, index, operator.address, amount, proof]), 'SumProofInvalid')
  await jobs.send(operator, 'claimPay', args(0))
  await refuses(jobs.attempt(operator, 'claimPay', args(0)), 'NothingToPay', [job.jobId, account])
})

test('a later tree pays only what it adds, and can never pay out more than its total [C-42] [C-30]', async () => {
  const { jobs, operator, dollar } = world
  // Takes 250 back from the first, who has had 300, and gives them to the second.
  const args = await playRound(1, [50n, 450n, 150n])
  await refuses(jobs.attempt(operator, 'claimPay', args(0)), 'NothingToPay')
  await jobs.send(operator, 'claimPay', args(2))
  assert.equal(await dollar.read('balanceOf', [accounts[2] as `0x${string}`]), 150n)
  await refuses(jobs.attempt(operator, 'claimPay', args(1)), 'PayoutExceeded', [900n, 650n])
  await jobs.send(operator, 'refund', [job.jobId])
  // What is left is what this job still owes, no other job's money.
  assert.equal(await dollar.read('balanceOf', [jobs.address]), 650n - 450n)
})

test('the model is published once, with the payout tree as its contributors [C-43]', async () => {
  const { jobs, assets, operator, builder, dollar } = world
  await jobs.send(operator, 'publishModel', [job.jobId])
  const { modelVersion } = await jobs.read('status', [job.jobId])
  await refuses(jobs.attempt(operator, 'publishModel', [job.jobId]), 'AlreadyPublished', [job.jobId, modelVersion])
  const terms = await assets.read('termsOf', [modelVersion])
  const { proposal } = proposalOf(accounts, [50n, 450n, 150n])
  assert.deepEqual(
    [terms.digest, terms.root, terms.contributorsRoot, terms.contributorsTotal, terms.contributorsShare],
    [proposal.stateDigest, proposal.stateRoot, proposal.payoutRoot, 650n, 200_000],
  )
  assert.equal(terms.licenceDigest, job.terms.modelLicenceDigest)
  const assetId = await assets.read('assetOf', [modelVersion])
  assert.equal(await assets.read('ownerOf', [assetId]), builder.address)
  assert.deepEqual(await assets.read('tokensOf', [assetId]), [dollar.address])
})
