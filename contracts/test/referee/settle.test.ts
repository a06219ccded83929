import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Hex } from 'viem'
import { onion } from '../support/onion.ts'
import {
  BOND,
  CLOCK_SECONDS,
  challenge,
  makeRefereeWorld,
  pickStepArgs,
  playDispute,
  type RefereeWorld,
  standUpArgs,
} from '../support/refereeWorld.ts'
import { refuses } from '../support/refuses.ts'
import { fixSet } from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'
import { makeNodes, type Node, ROLE, ZERO_HASH } from '../support/world.ts'

let world: RefereeWorld
const lie = [{ step: 1, leaf: 9, element: 4, flip: 1 }]
/** One that the challenger proves, before any clock has run down. */
const provable = [
  { step: 1, leaf: 2, element: 4, flip: 1 },
  { step: 1, leaf: 10, element: 1030, flip: 1 },
]

before(async () => {
  world = await makeRefereeWorld(await startEvm())
})

const free = ({ cold }: Node) => world.registry.read('freeBond', [cold.address])
const reward = ({ cold }: Node) => world.registry.read('rewardOf', [cold.address])

async function stand(by: Node, id: bigint, claim: Parameters<typeof standUpArgs>[1], run = world.honest, step = 1) {
  const receipt = await world.referee.send(by.key, 'standUp', standUpArgs(id, claim, run, step))
  return world.referee.events(receipt, 'GameOpened')[0]?.game as bigint
}

test('a challenge that nobody answers is won when the time to stand up is over [D-12]', async () => {
  const { referee, evm, auditor, honest, jobs, jobId } = world
  const locked = await free(auditor)
  const { id, claim } = await challenge(world, auditor, { ...honest, states: [] } as typeof honest, 1)
  await refuses(referee.attempt(auditor.key, 'settle', [id]), 'ChallengeOpen')
  await evm.advance(CLOCK_SECONDS + 1)
  await referee.send(world.operator, 'settle', [id])
  await referee.send(world.operator, 'settle', [id])
  assert.equal(await free(auditor), locked)
  const subject = await jobs.read('claimHash', [jobId, 0, claim])
  assert.equal(await referee.read('verdict', [jobId, subject]), 2)
  assert.deepEqual(await referee.read('accusers', [jobId, subject]), [auditor.cold.address])
  await refuses(referee.attempt(auditor.key, 'settle', [99n]), 'UnknownChallenge')
})

test('a lost challenge costs its bond, half burned and half to the champion, and says nothing about the claim [D-19] [D-11] [C-70]', async () => {
  const { referee, salt, auditor, worker, honest, jobs, jobId } = world
  const [supply, bonded, earned] = [await salt.read('totalSupply', []), await free(auditor), await reward(worker)]
  const played = await playDispute(world, { claimRun: honest, challengerRun: world.lying(lie), step: 1 })
  assert.equal(played.winner, 'champion')
  assert.equal(await salt.read('totalSupply', []), supply - BOND / 2n)
  assert.equal(await free(auditor), bonded - BOND)
  assert.equal(await reward(worker), earned + BOND / 2n)
  const { decided, won } = await referee.read('challengeOf', [played.id])
  assert.deepEqual({ decided, won }, { decided: true, won: false })
  const fresh = { ...world.claim(), share: 5 }
  assert.equal(await referee.read('verdict', [jobId, await jobs.read('claimHash', [jobId, 0, fresh])]), 0)
})

test('a champion that loses pays its bond in the same way; the challenge is won after the time to stand up [D-19] [D-12]', async () => {
  const { referee, evm, salt, auditor, friend, jobs, jobId } = world
  const lying = world.lying(provable)
  const [supply, bonded, earned, held] = [
    await salt.read('totalSupply', []),
    await free(friend),
    await reward(auditor),
    await free(auditor),
  ]
  const played = await playDispute(world, { claimRun: lying, challengerRun: world.honest, step: 1, champion: friend })
  assert.equal(played.winner, 'challenger')
  assert.equal(await free(friend), bonded - BOND)
  assert.equal(await reward(auditor), earned + BOND / 2n)
  assert.equal(await salt.read('totalSupply', []), supply - BOND / 2n)
  await refuses(referee.attempt(auditor.key, 'settle', [played.id]), 'ChallengeOpen')
  await evm.advance(CLOCK_SECONDS + 1)
  await referee.send(world.operator, 'settle', [played.id])
  assert.equal(await free(auditor), held)
  const subject = await jobs.read('claimHash', [jobId, 0, world.claim()])
  assert.equal(await referee.read('verdict', [jobId, subject]), 2)
})

test('one champion that wins saves the claim, whoever else loses, stalls or is a puppet of the challenger [D-12]', async () => {
  const { referee, evm, auditor, friend, stranger, worker, honest } = world
  const { id, claim } = await challenge(world, auditor, honest, 1)
  const puppet = await stand(stranger, id, claim)
  const other = await stand(friend, id, claim)
  const real = await stand(worker, id, claim)
  for (const game of [puppet, other, real]) {
    await referee.send(auditor.key, 'pickStep', pickStepArgs(game, world.lying(lie), honest, 1).args)
  }
  // The puppet lets its clock run down; the worker has a move left to make by then.
  await evm.advance(CLOCK_SECONDS - 60)
  const row = await pickOwnRow(real)
  await referee.send(worker.key, 'pickTraceLeaf', row)
  await evm.advance(62)
  await referee.send(auditor.key, 'callTime', [puppet])
  await refuses(referee.attempt(auditor.key, 'settle', [id]), 'ChallengeOpen')
  const bonded = await free(friend)
  // The challenger does not answer the worker.
  await evm.advance(CLOCK_SECONDS)
  await referee.send(worker.key, 'callTime', [real])
  const { decided, won, winner } = await referee.read('challengeOf', [id])
  assert.deepEqual({ decided, won, winner }, { decided: true, won: false, winner: worker.cold.address })
  // What was still open is over, and its bond is free.
  await refuses(referee.attempt(auditor.key, 'callTime', [other]), 'ChallengeDecided', [id])
  await referee.send(world.operator, 'releaseGame', [other])
  await referee.send(world.operator, 'releaseGame', [other])
  assert.equal(await free(friend), bonded + BOND)
})

/** The worker's answer to a trace whose leaf 9 is wrong. */
async function pickOwnRow(game: bigint) {
  const { job, honest } = world
  const { entryOf, rowOf } = await import('../support/playDispute.ts')
  const { toHex } = await import('viem')
  const [mine, theirs] = [honest.traces[1], world.lying(lie).traces[1]] as const
  if (!mine || !theirs) throw new Error('no trace of step 1')
  const leaf = mine.leaves[9]
  if (!leaf) throw new Error('no leaf 9')
  const proof = job.tree.proof(0, 10).map((node) => toHex(node))
  return [
    game,
    9,
    entryOf(theirs.tree, 0, 9),
    toHex(job.leaves[10] as Uint8Array),
    proof,
    rowOf(leaf.tree, 0, 2, 0),
    '0x',
  ] as const
}

test('each side has one clock for all its moves; it runs only while it is its turn [D-18]', async () => {
  const { referee, evm, auditor, worker, honest } = world
  const { id, claim } = await challenge(world, auditor, honest, 1)
  const game = await stand(worker, id, claim)
  await evm.advance(100)
  await refuses(referee.attempt(worker.key, 'callTime', [game]), 'ClockRunning')
  await referee.send(auditor.key, 'pickStep', pickStepArgs(game, world.lying(lie), honest, 1).args)
  const after = await referee.read('gameOf', [game])
  assert.ok(after.challengerLeft <= CLOCK_SECONDS - 100 && after.challengerLeft > CLOCK_SECONDS - 110)
  assert.equal(after.championLeft, CLOCK_SECONDS)
  await evm.advance(CLOCK_SECONDS + 1)
  await refuses(referee.attempt(worker.key, 'pickTraceLeaf', await pickOwnRow(game)), 'ClockOver')
  const receipt = await referee.send(world.operator, 'callTime', [game])
  assert.equal(referee.events(receipt, 'GameEnded')[0]?.winner, auditor.cold.address)
  await refuses(referee.attempt(world.operator, 'callTime', [game]), 'WrongStage')
})

test('a worker whose claim was found wrong is convicted by the job, and the challenger shares in the slash [D-19]', async () => {
  const fresh = await makeRefereeWorld(await startEvm())
  world = fresh
  const { jobs, referee, registry, evm, worker, auditor, jobId } = fresh
  const validators = await makeNodes(fresh, 60, 3, ROLE.VALIDATOR)
  const witnesses = await makeNodes(fresh, 70, 7, ROLE.WITNESS)
  await jobs.send(worker.key, 'enrol', [jobId, ROLE.WORKER, ZERO_HASH])
  for (const [i, { key }] of validators.entries()) {
    await jobs.send(key, 'enrol', [jobId, ROLE.VALIDATOR, onion(i, 2).head])
  }
  for (const { key } of witnesses) await jobs.send(key, 'enrol', [jobId, ROLE.WITNESS, ZERO_HASH])
  await jobs.send(fresh.operator, 'start', [jobId])
  const terms = await jobs.read('termsOf', [jobId])
  const running = { jobId, terms, crew: { workers: [worker], validators, witnesses } }
  const played = await playDispute(fresh, { claimRun: fresh.lying(provable), challengerRun: fresh.honest, step: 1 })
  assert.equal(played.winner, 'challenger')
  const { set } = await fixSet(fresh, running, 0, [fresh.claim()])
  const args = [jobId, 0, fresh.claim(), 0n, set.proof(0)] as const
  await refuses(jobs.attempt(fresh.operator, 'convict', args), 'NotWrong')
  await evm.advance(CLOCK_SECONDS + 1)
  await referee.send(fresh.operator, 'settle', [played.id])
  const earned = await registry.read('rewardOf', [auditor.cold.address])
  const receipt = await jobs.send(fresh.operator, 'convict', args)
  assert.equal(jobs.events(receipt, 'Convicted')[0]?.slashed, terms.workerBond)
  assert.equal(await registry.read('rewardOf', [auditor.cold.address]), earned + terms.workerBond / 2n)
  assert.equal(await jobs.read('expelled', [jobId, worker.cold.address as Hex]), true)
})
