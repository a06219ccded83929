import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Hex, toHex } from 'viem'
import { wordBytes } from '../../../packages/engine/src/elements/encodeRecord.ts'
import { merkleRoot } from '../../../packages/protocol/src/merkle.ts'
import { SEGMENTS } from '../support/exampleJob.ts'
import {
  BOND,
  challenge,
  claimOfRun,
  deployReferee,
  makeRefereeWorld,
  type RefereeWorld,
} from '../support/refereeWorld.ts'
import { refuses } from '../support/refuses.ts'
import { createJob } from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'

let world: RefereeWorld

before(async () => {
  world = await makeRefereeWorld(await startEvm())
})

const attempt = (changes: {
  jobId?: bigint
  segment?: number
  header?: Hex
  proof?: Hex[]
  by?: RefereeWorld['builder']
}) => {
  const {
    jobId = world.jobId,
    segment = 0,
    header = world.header,
    proof = world.headerProof,
    by = world.auditor.key,
  } = changes
  const claim = claimOfRun(world.worker.cold.address, world.honest)
  return world.referee.attempt(by, 'challenge', [jobId, 0, claim, segment, header, proof])
}

test('refuses a bond or a clock that cannot work', async () => {
  for (const [clock, bond, error] of [
    [0, BOND, 'ClockInvalid'],
    [2 ** 24, BOND, 'ClockInvalid'],
    [60, 99n, 'BondInvalid'],
  ] as const) {
    await assert.rejects(deployReferee(world, clock, bond), new RegExp(error))
  }
})

test('refuses jobs that are not exact, or have another judge', async () => {
  const elsewhere = await createJob(world, { programRoot: toHex(world.job.root) })
  await refuses(attempt({ jobId: elsewhere.jobId }), 'NotJudgeOf', [elsewhere.jobId, world.judge.address, 0])
  const tolerant = await createJob(world, { judge: world.referee.address, trustClass: 1 })
  await refuses(attempt({ jobId: tolerant.jobId }), 'NotJudgeOf', [tolerant.jobId, world.referee.address, 1])
  await refuses(attempt({ jobId: 99n }), 'NotJudgeOf')
})

test('refuses a header that is not under the program root, or does not add up [D-07]', async () => {
  await refuses(attempt({ header: '0x00' }), 'HeaderInvalid', ['length', 1n])
  const words = Array.from({ length: 16 }, (_, i) => Number.parseInt(world.header.slice(2 + 8 * i, 10 + 8 * i), 16))
  const rest = new Uint8Array(64)
  const altered = async (index: number, value: number) => {
    const header = wordBytes([...words.map((word, i) => (i === index ? value : word)), rest])
    const leaves = index === 1 ? [header] : [header, ...world.job.leaves.slice(1)]
    const { jobId } = await createJob(world, { judge: world.referee.address, programRoot: toHex(merkleRoot(leaves)) })
    return attempt({ jobId, header: toHex(header), proof: index === 1 ? [] : world.headerProof })
  }
  const forged = toHex(wordBytes([...words.slice(0, 3), 6, ...words.slice(4), rest]))
  await refuses(attempt({ header: forged }), 'ProofInvalid')
  await refuses(attempt({ proof: world.headerProof.slice(1) }), 'ProofLength')
  for (const [index, value, field] of [
    [0, 0x504c4b32, 'magic'],
    [2, 2, 'operatorSet'],
    [3, 0, 'steps'],
    [4, 0, 'stateEverySteps'],
    [8, 0, 'parts'],
    [11, 1, 'traceLeaves'],
    [13, 0, 'finishLeaves'],
    [10, 2, 'firstRecord'],
    [12, 1, 'finishRecord'],
    [15, 1, 'nextLeaves'],
    [14, 2, 'nextRecord'],
    [1, 1, 'leaves'],
  ] as const) {
    await refuses(altered(index, value), 'HeaderInvalid', [field, BigInt(value)])
  }
})

test('refuses whoever is no node, has too little bond, or names a range that there is not [D-11]', async () => {
  await refuses(attempt({ by: world.builder }), 'NotANode', [world.builder.address])
  await refuses(attempt({ segment: SEGMENTS + 1 }), 'SegmentOutOfRange', [BigInt(SEGMENTS + 1), BigInt(SEGMENTS)])
  const free = await world.registry.read('freeBond', [world.stranger.cold.address])
  await world.registry.send(world.stranger.cold, 'startUnbond', [free - BOND + 1n])
  await refuses(attempt({ by: world.stranger.key }), 'BondTooLow')
})

test('a challenge locks its bond; any number run in parallel, and the header is needed once [D-11] [D-07]', async () => {
  const { referee, registry, auditor, honest } = world
  const first = await challenge(world, auditor, honest, 0)
  const task = await referee.read('challengeTask', [first.id])
  assert.equal(await registry.read('lockedFor', [referee.address, auditor.cold.address, task]), BOND)
  const receipt = await referee.send(auditor.key, 'challenge', [world.jobId, 0, first.claim, 0, '0x', []])
  const [event] = referee.events(receipt, 'Challenged')
  assert.equal(event?.id, first.id + 1n)
  assert.equal(event?.subject, await world.jobs.read('claimHash', [world.jobId, 0, first.claim]))
  assert.equal((await referee.read('challengeOf', [first.id + 1n])).challenger, auditor.cold.address)
  assert.equal(await referee.read('verdict', [world.jobId, event?.subject as Hex]), 0)
})
