import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { concatHex, keccak256, toHex } from 'viem'
import { type Lie, writtenElement, wrongElement } from '../../../packages/referee/src/index.ts'
import { CLOCK_SECONDS } from '../support/refereeWorld.ts'
import { refuses } from '../support/refuses.ts'
import { makeResultWorld, type Proposal, playResult, type ResultWorld, SHARE_PAY } from '../support/resultWorld.ts'
import { proposalOf } from '../support/runJob.ts'
import { startFixedEvm } from '../support/startEvm.ts'
import { ZERO_HASH } from '../support/world.ts'

let world: ResultWorld
let start: unknown

before(async () => {
  world = await makeResultWorld(await startFixedEvm())
  start = await world.evm.raw('evm_snapshot', [])
})

/** Runs from the moment before any proposal, whatever tests did before. */
async function afresh(): Promise<void> {
  await world.evm.raw('evm_revert', [start])
  start = await world.evm.raw('evm_snapshot', [])
}

const [BASE, REFERENCE, UPDATES] = [0, 1, 2]
/** First trace leaf of the aggregation that is computed, and the number of its leaves. */
const [FIRST, LEAVES] = [3, 18]

/** The first change of a leaf that changes the result; much of what an aggregation reads weighs nothing. */
async function lieAbout(step: number, leaf: number, write?: number): Promise<Lie> {
  const right = toHex(await world.honest().updateRoot())
  for (const flip of [1, 1 << 19, 1 << 22, 1 << 23, 1 << 30, 1 << 31]) {
    for (let element = 0; element < 8; element++) {
      const tamper = write === undefined ? wrongElement(leaf, element, flip) : writtenElement(leaf, element, write)
      const lie = { name: `${leaf}/${element}`, step, leaf, flip, tamper }
      if (toHex(await world.lying(lie).updateRoot()) !== right) return lie
    }
  }
  throw new Error(`no change of leaf ${leaf} of step ${step} changes the result`)
}

const inAggregation = (leaf: number) => () => lieAbout(world.job.steps + 1, leaf)
const lies: Record<string, () => Promise<Lie>> = {
  'from another base': inAggregation(BASE),
  'by another reference update than the run ends in': inAggregation(REFERENCE),
  'with an update that nobody claimed': inAggregation(UPDATES),
  'of another step of the reference run': () => lieAbout(3, world.job.step.records.length - 1),
  'of another update from the reference run': () => lieAbout(world.job.steps, world.job.finish.records.length - 1),
  'with a number that is none': () => lieAbout(world.job.steps + 1, LEAVES - 1, 0x7fc00000),
}
for (let leaf = FIRST; leaf < LEAVES; leaf++) {
  lies[`with a wrong element of trace leaf ${leaf} of the aggregation`] = inAggregation(leaf)
}

/** Not won because somebody never came: the first game went down into the trace. */
async function wasPlayed(): Promise<void> {
  assert.ok((await world.referee.read('gameOf', [1n])).frames > 0)
}

test('the lies below are about every leaf of the aggregation that is computed [D-24]', () => {
  const { records } = world.job.aggregate
  assert.deepEqual(
    records.flatMap(({ kind }, leaf) => (kind === 'element' ? [leaf] : [])),
    Array.from({ length: LEAVES - FIRST }, (_, i) => FIRST + i),
  )
  assert.equal(records.length, LEAVES)
})

for (const [what, lieOf] of Object.entries(lies)) {
  test(`a result ${what} is shown wrong, and its proposer convicted [D-23] [D-24]`, async () => {
    await afresh()
    const { jobs, jobId, operator } = world
    const [lying, honest] = [world.lying(await lieOf()), world.honest()]
    const proposal = await world.proposalFrom(lying)
    const { proposer, other, claim } = await world.propose(proposal)
    const champion = { node: proposer, truth: lying }
    assert.equal(await playResult(world, claim, champion, { node: other, truth: honest }), true)
    await wasPlayed()
    await jobs.send(operator, 'convictProposal', [jobId, 0])
    assert.equal(await jobs.read('expelled', [jobId, proposer.cold.address]), true)
  })

  test(`an honest result survives a challenger that believes in one ${what} [D-23]`, async () => {
    await afresh()
    const { jobs, jobId, operator, referee } = world
    const [lying, honest] = [world.lying(await lieOf()), world.honest()]
    const proposal = await world.proposalFrom(honest)
    const { proposer, other, claim } = await world.propose(proposal)
    const liar = { node: other, truth: lying }
    assert.equal(await playResult(world, claim, { node: proposer, truth: honest }, liar), false)
    await wasPlayed()
    const subject = await jobs.read('proposalHashOf', [jobId, 0, proposal])
    assert.equal(await referee.read('isOpen', [jobId, subject]), false)
    await jobs.send(operator, 'finalise', [jobId, 0])
  })
}

test('a result is not final while a challenge of it is open, and can be challenged in its time only [C-72] [D-23]', async () => {
  await afresh()
  const { jobs, jobId, operator, referee, evm, job, terms } = world
  const proposal = await world.proposalFrom(world.honest())
  const { proposer, other, claim } = await world.propose(proposal)
  const { header, headerProof } = world.header
  const challenge = (changes: object, segment = 1) =>
    [jobId, 0, { ...claim, ...changes }, segment, header, headerProof] as const
  const last = Math.ceil(job.steps / job.stateEverySteps) + 1
  await refuses(referee.attempt(other.key, 'challenge', challenge({ updateRoot: ZERO_HASH })), 'ResultDiffers')
  await refuses(referee.attempt(other.key, 'challenge', challenge({ worker: other.cold.address })), 'ResultDiffers')
  await refuses(referee.attempt(other.key, 'challenge', challenge({}, last + 1)), 'SegmentOutOfRange')
  await referee.send(other.key, 'challenge', challenge({}))
  await evm.advance(terms.challengeSeconds)
  await refuses(jobs.attempt(operator, 'finalise', [jobId, 0]), 'UnderDispute')
  await refuses(referee.attempt(other.key, 'challenge', challenge({}, 0)), 'ChallengeOver')
  // Nobody stood up: by the clock the result is wrong, but the same model may be proposed by the next validator.
  await evm.advance(CLOCK_SECONDS + 1)
  await referee.send(other.key, 'settle', [1n])
  await jobs.send(operator, 'convictProposal', [jobId, 0])
  const again = { ...proposal, convictions: 1 }
  const second = await world.propose(again)
  assert.notEqual(second.proposer, proposer)
  await evm.advance(terms.challengeSeconds + 1)
  await jobs.send(operator, 'finalise', [jobId, 0])
})

test('an honest result whose proposer is gone is saved by any node that stands up for it, with a bond [D-12] [D-23]', async () => {
  await afresh()
  const { jobs, jobId, operator, crew, registry, referee } = world
  const [honest, lying] = [world.honest(), world.lying(await inAggregation(LEAVES - 1)())]
  const { proposer, other, claim } = await world.propose(await world.proposalFrom(honest))
  const friend = crew.validators.find((node) => node !== proposer && node !== other)
  assert.ok(friend)
  const locked = async () => (await registry.read('nodeInfo', [friend.cold.address])).locked
  const before = await locked()
  assert.equal(await playResult(world, claim, { node: friend, truth: honest }, { node: other, truth: lying }), false)
  assert.equal((await referee.read('gameOf', [1n])).bonded, true)
  assert.equal(await locked(), before)
  await jobs.send(operator, 'finalise', [jobId, 0])
})

test('a result cannot be struck or asked for leaves as if it were a claim [D-20] [D-21]', async () => {
  await afresh()
  const { jobId, referee } = world
  const { claim, other } = await world.propose(await world.proposalFrom(world.honest()))
  const { header, headerProof } = world.header
  await refuses(referee.attempt(other.key, 'strikeClaim', [jobId, 0, claim, header, headerProof]), 'NotAClaim', [
    claim.share,
  ])
  const demand = [jobId, 0, claim, 0, header, headerProof, '0x', []] as const
  await refuses(referee.attempt(other.key, 'demandLeaf', demand), 'NotAClaim', [claim.share])
})

const strike = (
  changes: { claims?: ResultWorld['claims']; before?: { account: `0x${string}`; amount: bigint }[] } = {},
) => {
  const { header, headerProof } = world.header
  return [world.jobId, 0, changes.claims ?? world.claims, changes.before ?? [], header, headerProof] as const
}

async function proposeWith(changes: Partial<Proposal>) {
  const proposal = { ...(await world.proposalFrom(world.honest())), ...changes }
  return { proposal, ...(await world.propose(proposal)) }
}

test('payouts that do not follow from the claims are struck by anyone, right ones by nobody [D-25]', async () => {
  const workers = world.claims.map(({ worker }) => worker)
  const [first, second, third] = workers as [`0x${string}`, `0x${string}`, `0x${string}`]
  const wrong: [accounts: `0x${string}`[], pays: bigint[]][] = [
    // Too much for one, nothing for one, another order, something for a friend.
    [workers, [SHARE_PAY, SHARE_PAY + 1n, SHARE_PAY]],
    [
      [first, third],
      [SHARE_PAY, SHARE_PAY],
    ],
    [
      [second, first, third],
      [SHARE_PAY, SHARE_PAY, SHARE_PAY],
    ],
    [
      [...workers, world.operator.address],
      [SHARE_PAY, SHARE_PAY, SHARE_PAY, SHARE_PAY],
    ],
  ]
  for (const [accounts, pays] of wrong) {
    await afresh()
    const { payoutRoot, payoutTotal } = proposalOf(accounts, pays).proposal
    const { other } = await proposeWith({ payoutRoot, payoutTotal })
    await world.referee.send(other.key, 'strikePayouts', strike())
    await world.jobs.send(world.operator, 'convictProposal', [world.jobId, 0])
  }
  await afresh()
  const { other } = await proposeWith({})
  const { referee } = world
  await refuses(referee.attempt(other.key, 'strikePayouts', strike()), 'NothingWrong')
  await refuses(referee.attempt(other.key, 'strikePayouts', strike({ claims: world.claims.slice(1) })), 'SetDiffers')
  await refuses(
    referee.attempt(other.key, 'strikePayouts', strike({ claims: [...world.claims].reverse() })),
    'SetDiffers',
  )
  await refuses(
    referee.attempt(other.key, 'strikePayouts', strike({ before: [{ account: first, amount: 1n }] })),
    'PayoutsDiffer',
  )
  await refuses(referee.attempt(world.operator, 'strikePayouts', strike()), 'NotANode')
})

test('what takes part is established from the whole set, while the result is proposed [D-24]', async () => {
  await afresh()
  const { referee, jobId, claims, job } = world
  const { header, headerProof } = world.header
  const note = (of: ResultWorld['claims']) => [jobId, 0, of, header, headerProof] as const
  await refuses(referee.attempt(world.operator, 'noteUpdates', note(claims)), 'NotTheRound')
  await proposeWith({})
  await refuses(referee.attempt(world.operator, 'noteUpdates', note(claims.slice(0, 2))), 'SetDiffers')
  const { tree } = await world.honest().trace(job.steps + 1)
  assert.equal(await referee.attempt(world.operator, 'noteUpdates', note(claims)), toHex(tree.node(0, UPDATES)))
})

test('a vote of two thirds strikes a result whose digests alone are wrong, and nothing else [D-22]', async () => {
  await afresh()
  const { referee, judge, jobs, jobId, crew, operator } = world
  const { proposal, proposer, other } = await proposeWith({ stateDigest: keccak256('0xbad0') })
  const subject = await jobs.read('proposalHashOf', [jobId, 0, proposal])
  const voters = crew.validators.filter((node) => node !== proposer)
  const found = { ...proposal, stateDigest: keccak256('0x90d0') }
  const more = { ...found, stateRoot: keccak256('0x90d1') }
  const [hash, moreHash] = await Promise.all([found, more].map((one) => jobs.read('proposalHashOf', [jobId, 0, one])))
  const attempt = (one: Proposal) => referee.attempt(other.key, 'strikeDigests', [jobId, 0, one])
  await refuses(attempt(found), 'NotVotedDown')
  for (const { key } of voters) await judge.send(key, 'vote', [jobId, subject, hash as `0x${string}`])
  await refuses(attempt(more), 'MoreThanDigests')
  assert.notEqual(moreHash, hash)
  assert.equal(await referee.read('verdict', [jobId, subject]), 0)
  await referee.send(other.key, 'strikeDigests', [jobId, 0, found])
  assert.equal(await referee.read('verdict', [jobId, subject]), 2)
  assert.deepEqual(await referee.read('accusers', [jobId, subject]), [other.cold.address])
  await jobs.send(operator, 'convictProposal', [jobId, 0])
})

test('votes for another model or other payouts are worth nothing [D-22]', async () => {
  await afresh()
  const { referee, judge, jobs, jobId, crew } = world
  const { proposal, proposer, other } = await proposeWith({})
  const subject = await jobs.read('proposalHashOf', [jobId, 0, proposal])
  const found = { ...proposal, payoutRoot: keccak256(concatHex([subject, '0x01'])) }
  const hash = await jobs.read('proposalHashOf', [jobId, 0, found])
  for (const { key } of crew.validators.filter((node) => node !== proposer)) {
    await judge.send(key, 'vote', [jobId, subject, hash])
  }
  await refuses(referee.attempt(other.key, 'strikeDigests', [jobId, 0, found]), 'MoreThanDigests')
  assert.equal(await referee.read('verdict', [jobId, subject]), 0)
})
