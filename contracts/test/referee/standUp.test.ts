import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Hex, sha256, toHex } from 'viem'
import { STEPS } from '../support/exampleJob.ts'
import { entryOf, noEntry } from '../support/playDispute.ts'
import {
  BOND,
  CLOCK_SECONDS,
  challenge,
  claimOfRun,
  makeRefereeWorld,
  type RefereeWorld,
  standUpArgs,
} from '../support/refereeWorld.ts'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { ZERO_HASH } from '../support/world.ts'

let world: RefereeWorld

before(async () => {
  world = await makeRefereeWorld(await startEvm())
})

test('refuses another claim, an unknown challenge, and who is no node [D-12]', async () => {
  const { referee, auditor, honest, worker } = world
  const { id, claim } = await challenge(world, auditor, honest, 2)
  const args = standUpArgs(id, claim, honest, 2)
  const [, ...rest] = args
  await refuses(referee.attempt(worker.key, 'standUp', [99n, ...rest]), 'UnknownChallenge', [99n])
  const other = { ...claim, share: 4 }
  await refuses(referee.attempt(worker.key, 'standUp', [id, other, args[2], args[3], args[4]]), 'SubjectDiffers')
  await refuses(referee.attempt(world.builder, 'standUp', args), 'NotANode')
})

test('refuses states that are too few, do not end as claimed, or are not under the states root [D-04] [D-12]', async () => {
  const { referee, auditor, honest, worker } = world
  const { id, claim } = await challenge(world, auditor, honest, 2)
  const [, , start, end, states] = standUpArgs(id, claim, honest, 2)
  const attempt = (from: typeof start, to: typeof start, roots: Hex[]) =>
    referee.attempt(worker.key, 'standUp', [id, claim, from, to, roots])
  await refuses(attempt(start, end, states.slice(1)), 'StatesLength', [1n, 2n])
  await refuses(attempt(start, end, [...states].reverse()), 'LastStateDiffers')
  await refuses(attempt({ ...start, value: ZERO_HASH }, end, states), 'ProofInvalid')
  await refuses(attempt({ ...start, proof: start.proof.slice(1) }, end, states), 'ProofLength', [1n, 2n])
  const forged = toHex(new Uint8Array(32).fill(1))
  await refuses(attempt(start, { ...end, value: forged }, [states[0] as Hex, forged]), 'ProofInvalid')
})

test('the state before the first step is the tree over the base and zero roots [D-07]', async () => {
  const { referee, auditor, honest, worker } = world
  const { id, claim } = await challenge(world, auditor, honest, 0)
  const args = standUpArgs(id, claim, honest, 0)
  const receipt = await referee.send(worker.key, 'standUp', args)
  const first = honest.states[0]
  assert.equal(referee.events(receipt, 'GameOpened')[0]?.start, toHex(first?.tree.root as Uint8Array))
})

test('the worker stands up once and locks nothing; others lock a bond and may be many [D-12]', async () => {
  const { referee, registry, auditor, friend, stranger, honest, worker } = world
  const { id, claim } = await challenge(world, auditor, honest, 4)
  const args = standUpArgs(id, claim, honest, 4)
  const before = await registry.read('freeBond', [worker.cold.address])
  await referee.send(worker.cold, 'standUp', args)
  assert.equal(await registry.read('freeBond', [worker.cold.address]), before)
  await refuses(referee.attempt(worker.key, 'standUp', args), 'AlreadyStood', [id, worker.cold.address])
  for (const { key, cold } of [friend, stranger, friend]) {
    const free = await registry.read('freeBond', [cold.address])
    await referee.send(key, 'standUp', args)
    assert.equal(await registry.read('freeBond', [cold.address]), free - BOND)
  }
  assert.equal((await referee.read('challengeOf', [id])).openGames, 4)
})

test('nobody stands up after the time for it, nor for a decided challenge [D-12]', async () => {
  const { referee, evm, auditor, honest, worker } = world
  const { id, claim } = await challenge(world, auditor, honest, 4)
  await evm.advance(CLOCK_SECONDS + 1)
  await refuses(referee.attempt(worker.key, 'standUp', standUpArgs(id, claim, honest, 4)), 'StandUpOver')
  await referee.send(auditor.key, 'settle', [id])
  await refuses(referee.attempt(worker.key, 'standUp', standUpArgs(id, claim, honest, 4)), 'ChallengeDecided', [id])
})

test('the random numbers of a game are those of the claim: its share, its round, its worker [D-08]', async () => {
  const { referee, auditor, honest, worker, seed } = world
  const { id, claim } = await challenge(world, auditor, honest, 0)
  const receipt = await referee.send(worker.key, 'standUp', standUpArgs(id, claim, honest, 0))
  const game = await referee.read('gameOf', [referee.events(receipt, 'GameOpened')[0]?.game as bigint])
  assert.equal(toHex(game.streamKey, { size: 12 }), sha256(toHex(seed)).slice(0, 26))
})

test('a champion of the finish brings the last state and the update root [D-11] [D-12]', async () => {
  const { referee, auditor, honest, worker } = world
  const { id, claim } = await challenge(world, auditor, honest, STEPS)
  const args = standUpArgs(id, claim, honest, STEPS)
  await refuses(referee.attempt(worker.key, 'standUp', [id, claim, args[2], noEntry, [ZERO_HASH]]), 'LastStateDiffers')
  const receipt = await referee.send(worker.key, 'standUp', args)
  const game = await referee.read('gameOf', [referee.events(receipt, 'GameOpened')[0]?.game as bigint])
  assert.equal(game.step, STEPS)
  assert.deepEqual(args[2], entryOf(honest.statesTree, 0, 2))
  assert.equal(claimOfRun(worker.cold.address, honest).updateRoot, args[4][0])
})
