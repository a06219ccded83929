import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { concatHex, type Hex, keccak256 } from 'viem'
import { refuses } from '../support/refuses.ts'
import { attest, type Crew, claimOf, type RunningJob, setOf, signAttestation, startJob } from '../support/runJob.ts'
import { startEvm } from '../support/startEvm.ts'
import { deployWorld, foldDirect, makeNodes, type Node, ROLE, type World, ZERO_HASH } from '../support/world.ts'

let world: World
let crew: Crew
let job: RunningJob
let set: Awaited<ReturnType<typeof setOf>>

before(async () => {
  world = await deployWorld(await startEvm())
  crew = {
    workers: await makeNodes(world, 10, 2, ROLE.WORKER),
    validators: await makeNodes(world, 20, 3, ROLE.VALIDATOR),
    witnesses: await makeNodes(world, 30, 9, ROLE.WITNESS),
  }
  job = await startJob(world, crew)
  set = await setOf(
    world,
    job,
    0,
    crew.workers.map(({ cold }, i) => claimOf(cold.address, i)),
  )
})

const message = (changes = {}) => ({ round: 0, setRoot: set.root, count: set.count, directHash: ZERO_HASH, ...changes })
type Parts = { round?: number; count?: number; setRoot?: Hex; directHash?: Hex }
const fix = (bits: bigint, signatures: Hex, parts: Parts = {}) => {
  const { round, setRoot, count, directHash } = message(parts)
  return world.jobs.attempt(world.operator, 'fixSet', [job.jobId, round, setRoot, count, directHash, bits, signatures])
}

test('refuses fewer signatures than the quorum, bits beyond the committee, and lengths that fit no format [C-33]', async () => {
  const four = await attest(world, job, message(), [0, 1, 2, 3])
  await refuses(fix(four.bits, four.signatures), 'QuorumNotMet', [4n, 5n])
  const five = await attest(world, job, message(), [0, 1, 2, 3, 4])
  await refuses(fix(five.bits | 128n, five.signatures), 'SignerBitsInvalid', [159n, 7n])
  await refuses(fix(five.bits, five.signatures.slice(0, -2) as Hex), 'SignaturesLength', [319n, 5n])
  await refuses(fix(0n, '0x'), 'QuorumNotMet', [0n, 5n])
})

test('refuses one signature counted twice, a cold key in place of the node key, and a witness off the committee [C-33]', async () => {
  const { bits, signatures } = await attest(world, job, message(), [0, 1, 2, 3, 4])
  const twice = concatHex([signatures.slice(0, 130) as Hex, signatures.slice(0, 514 + 0) as Hex]).slice(
    0,
    signatures.length,
  ) as Hex
  await refuses(fix(bits, twice), 'AttestationInvalid')

  const committee = await world.jobs.read('committeeOf', [job.jobId])
  const off = crew.witnesses.find(({ cold }) => !committee.includes(cold.address)) as Node
  const first = crew.witnesses.find(({ cold }) => cold.address === committee[0]) as Node
  const { compactSignature } = await import('../support/voucher.ts')
  for (const impostor of [off, { ...first, key: first.cold }]) {
    const wrong = compactSignature(await signAttestation(world, impostor, { jobId: job.jobId, ...message() }))
    const forged = concatHex([wrong, `0x${signatures.slice(130)}`])
    await refuses(fix(bits, forged), 'AttestationInvalid', [0n, impostor.key.address, first.key.address])
  }
})

test('refuses signatures over another set, count or round, and an empty set [C-33]', async () => {
  const { bits, signatures } = await attest(world, job, message(), [0, 1, 2, 3, 4])
  await refuses(fix(bits, signatures, { setRoot: keccak256('0x01') }), 'AttestationInvalid')
  await refuses(fix(bits, signatures, { count: 3 }), 'AttestationInvalid')
  await refuses(fix(bits, signatures, { round: 1 }), 'WrongRound', [job.jobId, 0, 1])
  await refuses(fix(bits, signatures, { count: 0 }), 'EmptySet')
})

test('a directly posted claim must be in the word of the committee: censoring it is refused [C-34]', async () => {
  const { jobs, operator } = world
  const [worker, other] = crew.workers as [Node, Node]
  const before = await attest(world, job, message(), [0, 1, 2, 3, 4])
  await refuses(jobs.attempt(operator, 'postClaim', [job.jobId, 0, keccak256('0x01')]), 'NotNode')
  await refuses(
    jobs.attempt((crew.witnesses[0] as Node).key, 'postClaim', [job.jobId, 0, keccak256('0x01')]),
    'NotEnrolled',
  )
  await jobs.send(worker.key, 'postClaim', [job.jobId, 0, keccak256('0x01')])
  await refuses(jobs.attempt(worker.key, 'postClaim', [job.jobId, 0, keccak256('0x02')]), 'AlreadyPosted')
  await jobs.send(other.key, 'postClaim', [job.jobId, 0, keccak256('0x03')])
  const directHash = foldDirect(
    foldDirect(ZERO_HASH, worker.cold.address, keccak256('0x01')),
    other.cold.address,
    keccak256('0x03'),
  )
  const status = await jobs.read('status', [job.jobId])
  assert.deepEqual([status.directHash, status.directCount], [directHash, 2])
  await refuses(fix(before.bits, before.signatures), 'DirectClaimsDiffer', [ZERO_HASH, directHash])
})

test('a quorum of the committee fixes the set, with signatures of either length [C-33]', async () => {
  const { jobs, operator } = world
  const { directHash } = await jobs.read('status', [job.jobId])
  const committee = await jobs.read('committeeOf', [job.jobId])
  const positions = [1, 2, 4, 5, 6]
  const long: Hex[] = []
  for (const position of positions) {
    const node = crew.witnesses.find(({ cold }) => cold.address === committee[position]) as Node
    long.push(await signAttestation(world, node, { jobId: job.jobId, ...message({ directHash }) }))
  }
  const { bits, signatures } = await attest(world, job, message({ directHash }), positions)
  await fix(bits, concatHex(long), { directHash })
  await jobs.send(operator, 'fixSet', [job.jobId, 0, set.root, set.count, directHash, bits, signatures])
  const status = await jobs.read('status', [job.jobId])
  assert.deepEqual([status.phase, status.setRoot, status.count], [3, set.root, 2])
  assert.deepEqual(await jobs.read('setRootOf', [job.jobId, 0]), [set.root, 2])
  await refuses(fix(bits, signatures, { directHash }), 'WrongPhase', [job.jobId, 3, 2])
})
