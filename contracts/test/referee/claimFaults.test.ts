import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Hex, maxUint256, toHex } from 'viem'
import { SHARES, UNITS } from '../support/exampleJob.ts'
import { onion } from '../support/onion.ts'
import { CLOCK_SECONDS, claimOfRun, makeRefereeWorld, type RefereeWorld } from '../support/refereeWorld.ts'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { makeNodes, type Node, ROLE, ZERO_HASH } from '../support/world.ts'

let world: RefereeWorld
let validators: Node[]

before(async () => {
  world = await makeRefereeWorld(await startEvm())
  const { jobs, jobId, worker, salt, referee, deployer, caller } = world
  await salt.send(deployer, 'transfer', [caller.address, 10n ** 21n])
  await salt.send(caller, 'approve', [referee.address, maxUint256])
  await refuses(strike(claim()), 'NotTheRound')
  validators = await makeNodes(world, 60, 3, ROLE.VALIDATOR)
  await jobs.send(worker.key, 'enrol', [jobId, ROLE.WORKER, ZERO_HASH])
  for (const [i, { key }] of validators.entries()) {
    await jobs.send(key, 'enrol', [jobId, ROLE.VALIDATOR, onion(i, 2).head])
  }
  for (const { key } of await makeNodes(world, 70, 7, ROLE.WITNESS)) {
    await jobs.send(key, 'enrol', [jobId, ROLE.WITNESS, ZERO_HASH])
  }
  await jobs.send(world.operator, 'start', [jobId])
})

const claim = () => claimOfRun(world.worker.cold.address, world.honest)
const strike = (wrong: ReturnType<typeof claim>, round = 0, by = world.auditor.key) =>
  world.referee.attempt(by, 'strikeClaim', [world.jobId, round, wrong, world.header, world.headerProof])

test('an honest claim cannot be struck, nor any claim outside its round or by who is no node [D-20]', async () => {
  await refuses(strike(claim()), 'NothingWrong', [claim().baseRoot])
  await refuses(strike({ ...claim(), units: 1n }, 1), 'NotTheRound', [world.jobId, 1, 0])
  await refuses(strike({ ...claim(), units: 1n }, 0, world.builder), 'NotANode', [world.builder.address])
})

for (const [what, change] of Object.entries({
  'from another base': { baseRoot: ZERO_HASH },
  'of other units': { units: BigInt(UNITS) + 1n },
  'of a share that there is not': { share: SHARES },
})) {
  test(`a claim ${what} is wrong at once, and only the first to show it is its accuser [D-20]`, async () => {
    const { referee, jobId, jobs, header, headerProof, auditor, friend } = world
    const wrong = { ...claim(), ...change }
    for (const { key } of [auditor, friend]) {
      await referee.send(key, 'strikeClaim', [jobId, 0, wrong, header, headerProof])
    }
    const subject = await jobs.read('claimHash', [jobId, 0, wrong])
    assert.equal(await referee.read('verdict', [jobId, subject]), 2)
    assert.deepEqual(await referee.read('accusers', [jobId, subject]), [auditor.cold.address])
  })
}

const demandArgs = (leafIndex: number, changes: { record?: Hex; round?: number } = {}) => {
  const { job, jobId, header, headerProof } = world
  // The update is the last leaf of the finish.
  const last = job.step.length + job.finish.length
  const record = changes.record ?? toHex(job.leaves[last] as Uint8Array)
  const proof = job.tree.proof(0, last).map((node) => toHex(node))
  return [jobId, changes.round ?? 0, claim(), leafIndex, header, headerProof, record, proof] as const
}

test('refuses to demand what the update does not have, by another record, or in another round [D-21]', async () => {
  const { referee, caller, builder, job } = world
  await refuses(referee.attempt(caller, 'demandLeaf', demandArgs(3)), 'LeafNotThere', [3n])
  await refuses(referee.attempt(caller, 'demandLeaf', demandArgs(0, { round: 1 })), 'NotTheRound')
  const other = toHex(job.leaves[6] as Uint8Array)
  await refuses(referee.attempt(caller, 'demandLeaf', demandArgs(0, { record: other })), 'ProofInvalid')
  await refuses(referee.attempt(builder, 'demandLeaf', demandArgs(0)), 'ERC20InsufficientAllowance')
})

async function demand(leafIndex: number): Promise<bigint> {
  const receipt = await world.referee.send(world.caller, 'demandLeaf', demandArgs(leafIndex))
  return world.referee.events(receipt, 'LeafDemanded')[0]?.demand as bigint
}
const shown = (leafIndex: number) => {
  const { leaves, tree } = world.honest.update
  return [toHex(leaves[leafIndex] as Uint8Array), tree.proof(0, leafIndex).map((node) => toHex(node))] as const
}

test('a demanded leaf that is shown earns the fee, once, and the claim stays as it was [D-21]', async () => {
  const { referee, salt, caller, stranger, jobs, jobId } = world
  const fee = await referee.read('leafFee', [])
  const before = await salt.read('balanceOf', [caller.address])
  const id = await demand(2)
  assert.equal(await salt.read('balanceOf', [caller.address]), before - fee)
  await refuses(referee.attempt(stranger.key, 'showLeaf', [id, ...shown(1)]), 'ProofInvalid')
  await refuses(referee.attempt(stranger.key, 'showLeaf', [99n, ...shown(2)]), 'UnknownDemand', [99n])
  await refuses(referee.attempt(stranger.key, 'strikeSilence', [id]), 'DemandRunning')
  await referee.send(stranger.key, 'showLeaf', [id, ...shown(2)])
  assert.equal(await salt.read('balanceOf', [stranger.key.address]), fee)
  await refuses(referee.attempt(stranger.key, 'showLeaf', [id, ...shown(2)]), 'DemandClosed', [id])
  const subject = await jobs.read('claimHash', [jobId, 0, claim()])
  assert.equal(await referee.read('verdict', [jobId, subject]), 0)
})

test('a leaf that nobody shows in time makes the claim wrong and the fee goes back [D-21]', async () => {
  const { referee, salt, evm, caller, stranger, jobs, jobId } = world
  const before = await salt.read('balanceOf', [caller.address])
  const id = await demand(0)
  await evm.advance(CLOCK_SECONDS + 1)
  await refuses(referee.attempt(stranger.key, 'showLeaf', [id, ...shown(0)]), 'DemandOver')
  await referee.send(stranger.key, 'strikeSilence', [id])
  assert.equal(await salt.read('balanceOf', [caller.address]), before)
  assert.equal(await salt.read('balanceOf', [referee.address]), 0n)
  const subject = await jobs.read('claimHash', [jobId, 0, claim()])
  assert.equal(await referee.read('verdict', [jobId, subject]), 2)
  assert.deepEqual(await referee.read('accusers', [jobId, subject]), [caller.address])
})

test('a vote decides on no claim [D-22]', async () => {
  const { referee, judge, jobs, jobId } = world
  const subject = await jobs.read('claimHash', [jobId, 0, { ...claim(), share: 6 }])
  const found = toHex(new Uint8Array(32).fill(1))
  for (const { key } of validators) await judge.send(key, 'vote', [jobId, subject, found])
  assert.equal(await judge.read('verdict', [jobId, subject]), 2)
  assert.equal(await referee.read('verdict', [jobId, subject]), 0)
  assert.deepEqual(await referee.read('accusers', [jobId, subject]), [])
  assert.equal(await referee.read('verdict', [jobId, ZERO_HASH]), 0)
})
